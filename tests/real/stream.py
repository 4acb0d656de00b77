"""A third-party client of the notification service: logs in with slixmpp, subscribes, sees one event, pings, logs out.

    FINESSE_TAP_TEST_PASSWORD=... python3 stream.py --tls direct|starttls --host finesse.example.test --user 1001 --dial PORT --ca FILE

Says `ready` when the event may come, and each step as a line of JSON; exit 0 when all of it came about.
"""

import argparse
import asyncio
import json
import os
import ssl
import sys

import slixmpp

PATIENCE_S = 30


def say(step, **more):
    print(json.dumps({"step": step, **more}), flush=True)


class Client(slixmpp.ClientXMPP):
    """One login; `done` is set when it is over."""

    def __init__(self, options):
        super().__init__(f"{options.user}@{options.host}/reporter", os.environ["FINESSE_TAP_TEST_PASSWORD"])
        self.options = options
        self.event_came = asyncio.Event()
        self.register_plugin("xep_0060")
        self.register_plugin("xep_0199")
        self.enable_direct_tls = options.tls == "direct"
        self.enable_starttls = options.tls == "starttls"
        self.enable_plaintext = False
        self.add_event_handler("session_start", self.start)
        self.add_event_handler("pubsub_publish", lambda message: self.event_came.set())
        self.add_event_handler("failed_all_auth", lambda _: sys.exit("no mechanism was accepted"))

    def get_ssl_context(self):
        return ssl.create_default_context(cafile=self.options.ca)

    async def start(self, _):
        say("session", jid=self.boundjid.full)
        self.send_presence()
        service, node = f"pubsub.{self.options.host}", f"/finesse/api/User/{self.options.user}"
        await self["xep_0060"].subscribe(service, node)
        say("ready")
        await asyncio.wait_for(self.event_came.wait(), PATIENCE_S)
        say("event")
        await self["xep_0199"].ping(self.options.host)
        say("pong")
        # White space between stanzas: the keep-alive of RFC 6120 section 4.6.1.
        await asyncio.sleep(0.2)
        self.send_raw(" ")
        await asyncio.sleep(0.2)
        await self.disconnect()


async def main():
    parser = argparse.ArgumentParser()
    for name in ("tls", "host", "user", "dial", "ca"):
        parser.add_argument(f"--{name}", required=True)
    options = parser.parse_args()
    client = Client(options)
    client.connect("127.0.0.1", int(options.dial))
    await asyncio.wait_for(client.disconnected, 2 * PATIENCE_S)
    say("end")


asyncio.run(main())
