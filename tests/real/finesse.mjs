// Finesse's own client by itself (tomcat.js), for agents who come and go: prints {"ready":true}, runs until it is killed.
//
//   FINESSE_TAP_TEST_PASSWORD=… node finesse.mjs --host finesse.example.test --users 1001,1002 --server PORT --server-ca FILE

import { parseArgs } from 'node:util';
import { tomcat } from './tomcat.js';
import { fail, say } from './wire.js';

const names = ['host', 'users', 'server', 'server-ca'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { host, users, server: port, 'server-ca': ca } = values;
try {
  await tomcat({ host, users: users.split(','), port, ca, password: process.env.FINESSE_TAP_TEST_PASSWORD });
  say({ ready: true });
} catch (error) {
  fail(error);
}
