// XMPP without HTTP: runs slixmpp (stream.py) and publishes the Update it waits for. Prints what the client said; exit 0 when all came about.
//
//   FINESSE_TAP_TEST_PASSWORD=… node stream.mjs --tls direct|starttls --host finesse.example.test --user 1001 --dial PORT --ca FILE
//       --server PORT --server-ca FILE             the server itself, for its own client (tomcat.js)

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { READY, READY_ITEM, tomcat } from './tomcat.js';
import { fail } from './wire.js';

const names = ['tls', 'host', 'user', 'dial', 'ca', 'server', 'server-ca'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { host, user, server } = values;

try {
  const finesse = await tomcat({ host, users: [user], port: server, ca: values['server-ca'], password: process.env.FINESSE_TAP_TEST_PASSWORD });
  const own = ['tls', 'host', 'user', 'dial', 'ca'].flatMap((name) => [`--${name}`, values[name]]);
  const here = import.meta.dirname ?? new URL('.', import.meta.url).pathname;
  const client = spawn('python3', [join(here, 'stream.py'), ...own], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, PYTHONPATH: join(here, 'python'), PYTHONDONTWRITEBYTECODE: '1' },
  });
  const ended = new Promise((resolve) => { client.on('close', resolve); });
  for await (const line of createInterface({ input: client.stdout })) {
    process.stdout.write(`${line}\n`);
    if (JSON.parse(line).step === 'ready') await finesse.publish(READY, READY_ITEM);
  }
  const code = await ended;
  if (code !== 0) throw new Error(`slixmpp ended with ${code}`);
  await finesse.end();
} catch (error) {
  fail(error);
}
