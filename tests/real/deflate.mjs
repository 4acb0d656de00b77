// A server that compresses (Prosody does not, Openfire does): permessage-deflate as ws implements it, by zlib.
//
//   node deflate.mjs serve --cert FILE --key FILE [--bits 9…15] [--takeover yes|no]
//       answers each <message/> with one of its own, every third one in fragments with a ping between them; serves this folder's
//       page under /desktop/ too. Prints {"listening":PORT}, then the JSON lines of what it saw and sent; runs until it is killed.
//   node deflate.mjs talk --host finesse.example.test --port 8445 --dial PORT --ca FILE --count N
//       the client side, by ws. Prints what the client saw as JSON lines.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { parseArgs } from 'node:util';
import { WebSocketServer } from 'ws';
import { stanza, talk } from './desktop.js';
import { fail, recordedSocket, say } from './wire.js';

const PAGE = {
  '/desktop/index.html': ['text/html', './index.html'],
  '/desktop/desktop.js': ['text/javascript', './desktop.js'],
  '/desktop/strophe.js': ['text/javascript', './node_modules/strophe.js-desktop/strophe.js'],
  '/desktop/strophe.esm.js': ['text/javascript', './node_modules/strophe.js/dist/strophe.esm.js'],
};

function serve({ cert, key, bits, takeover }) {
  const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
    const [type, file] = PAGE[request.url] ?? [];
    if (file === undefined) return response.writeHead(404).end();
    return response.writeHead(200, { 'content-type': type }).end(readFileSync(new URL(file, import.meta.url)));
  });
  const fresh = takeover === 'no';
  const window = bits === undefined ? {} : { serverMaxWindowBits: Number(bits), clientMaxWindowBits: Number(bits) };
  const perMessageDeflate = { threshold: 0, serverNoContextTakeover: fresh, clientNoContextTakeover: fresh, ...window };
  new WebSocketServer({ server, path: '/ws/', perMessageDeflate, handleProtocols: () => 'xmpp' }).on('connection', answer);
  server.listen(0, '127.0.0.1', () => say({ listening: server.address().port }));
}

function answer(socket) {
  let count = 0;
  const send = (text) => {
    count += 1;
    if (count % 3 !== 0) return socket.send(text);
    const half = text.length >> 1;
    socket.send(text.slice(0, half), { fin: false });
    socket.ping();
    socket.send('', { fin: false });
    return socket.send(text.slice(half), { fin: true });
  };
  socket.on('message', (data) => {
    const text = String(data);
    if (text.startsWith('<open')) send("<open from='finesse.example.test' id='1' version='1.0' xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    else if (text.startsWith('<close')) send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
    else send(stanza(`s${count}`, '1001@finesse.example.test', count * 3));
  });
}

const names = ['cert', 'key', 'bits', 'takeover', 'host', 'port', 'dial', 'ca', 'count'];
const { values, positionals: [verb] } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])), allowPositionals: true });
try {
  if (verb === 'serve') serve(values);
  else {
    const { host, port, dial, ca, count } = values;
    await talk({ Socket: recordedSocket(say, { port: dial, ca, name: host }), url: `wss://${host}:${port}/ws/`, host, count: Number(count) });
  }
} catch (error) {
  fail(error);
}
