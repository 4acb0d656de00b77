"""A mitmproxy addon that does what people write when they need XMPP in a log: parse every WebSocket message, write a JSON line.

It reads the stanza, the pub-sub node and the escaped Update within, and writes to the file named by the option json_lines.
No redaction, no pairing, no session: less than the proxy it is compared with.
"""

import json
import time
from xml.etree import ElementTree

from mitmproxy import ctx


def local(tag: str) -> str:
    return tag.rsplit("}", 1)[-1]


def described(text: str) -> dict:
    stanza = ElementTree.fromstring(text)
    line = {"kind": local(stanza.tag), **{local(name): value for name, value in stanza.items()}, "xml": text}
    for element in stanza.iter():
        if local(element.tag) == "items":
            line["node"] = element.get("node")
        if local(element.tag) == "notification" and element.text:
            update = ElementTree.fromstring(element.text)
            line["update"] = {local(leaf.tag): leaf.text for leaf in update.iter() if leaf.text}
    return line


class JsonLines:
    def load(self, loader):
        loader.add_option("json_lines", str, "", "file to write")

    def running(self):
        self.file = open(ctx.options.json_lines, "a", encoding="utf-8")

    def websocket_message(self, flow):
        message = flow.websocket.messages[-1]
        try:
            line = described(message.text)
        except ElementTree.ParseError as error:
            line = {"error": str(error)}
        line["direction"] = "c2s" if message.from_client else "s2c"
        line["time"] = time.time()
        self.file.write(json.dumps(line) + "\n")
        self.file.flush()

    def done(self):
        self.file.close()


addons = [JsonLines()]
