// A desktop that stays: logs in as the desktop does (Strophe 1.2.16), subscribes, pings, and comes back when it is cut off.
// Prints what it saw as JSON lines (see desktop.js), and {"seen":"settled"} after each login; SIGTERM logs it out and ends it.
//
//   FINESSE_TAP_TEST_PASSWORD=… node agent.mjs --host finesse.example.test --user 1001 --port 8445 --dial PORT --ca FILE
//       --ping SECONDS     between two pings; 0 is never (a real desktop: 10)
//       --back N           how often it comes back; then it ends, exit 0
//       --agent TEXT       its User-Agent
//       --from ADDRESS     its own address, one of loopback's

import { Console } from 'node:console';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
// Puts a DOM into the global scope, where the old one looks for it.
import 'strophe.js';
import { settle } from './desktop.js';
import { fail, recordedSocket, say } from './wire.js';

const names = ['host', 'user', 'port', 'dial', 'ca', 'ping', 'back', 'agent', 'from'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { host, user, port, dial, ca, ping = '10', back = '0', agent, from } = values;
const password = process.env.FINESSE_TAP_TEST_PASSWORD;
const PAUSE_MS = 1_000;

globalThis.console = new Console(process.stderr);
const strophe = createRequire(import.meta.url)('strophe.js-desktop');
let leaving = false;
let connection;
process.on('SIGTERM', () => {
  leaving = true;
  connection?.disconnect('logout');
});

try {
  for (let left = Number(back); left >= 0 && !leaving; left -= 1) {
    const headers = agent === undefined ? {} : { 'User-Agent': agent };
    const Socket = recordedSocket(say, { port: dial, ca, name: host, from, headers });
    const url = `wss://${host}:${port}/ws/`;
    const started = (made) => { connection = made; };
    await settle({ strophe, Socket, url, user, host, password, pingSeconds: Number(ping), started, settled: () => say({ seen: 'settled' }) });
    if (left > 0 && !leaving) await new Promise((resolve) => { setTimeout(resolve, PAUSE_MS); });
  }
} catch (error) {
  fail(error);
}
