// The reference login in Node. Prints what the client saw as JSON lines, in order (see desktop.js); exit 0 when all of it came about.
//
//   FINESSE_TAP_TEST_PASSWORD=… node login.mjs [--over bosh] --library desktop|current --host finesse.example.test --user 1001
//       --port 8445 --dial PORT --ca FILE          the agent: what the URL says, where to connect, whom to trust
//       --server PORT --server-ca FILE             the server itself, for its own client (tomcat.js)
//
// `desktop` is Strophe 1.2.16, the version the Finesse desktop carries (SASL PLAIN in three parts); `current` is today's (two).

import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import * as current from 'strophe.js';
import { login, watched } from './desktop.js';
import { requests } from './http.js';
import { READY, READY_ITEM, tomcat } from './tomcat.js';
import { fail, recordedSocket, say } from './wire.js';

const names = ['over', 'library', 'host', 'user', 'port', 'dial', 'ca', 'server', 'server-ca'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { over, library, host, user, port, dial, ca, server } = values;
const password = process.env.FINESSE_TAP_TEST_PASSWORD;

// Strophe chats on the console; standard output is for what was seen.
globalThis.console = new Console(process.stderr);
// Today's Strophe has put a DOM into the global scope; the old one finds it there.
const strophe = library === 'desktop' ? createRequire(import.meta.url)('strophe.js-desktop') : current;
if (over === 'bosh') {
  globalThis.XMLHttpRequest = requests({ port: dial, ca, name: host });
  // The old library asks for both by way of the window.
  globalThis.window ??= globalThis;
}
const Socket = over === 'bosh' ? watched(strophe.Strophe, say) : recordedSocket(say, { port: dial, ca, name: host });
const url = over === 'bosh' ? `https://${host}:${port}/http-bind/` : `wss://${host}:${port}/ws/`;

try {
  const finesse = await tomcat({ host, users: [user], port: server, ca: values['server-ca'], password });
  const publish = () => finesse.publish(READY, READY_ITEM);
  await login({ strophe, Socket, url, user, host, password, publish });
  await finesse.end();
} catch (error) {
  fail(error);
}
