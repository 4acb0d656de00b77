// How the Node programs here reach a server under its real name: DNS is never asked, SNI and Host stay as written.

import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import WebSocket from 'ws';
import { recorded } from './desktop.js';

/** Options for ws that dial 127.0.0.1:`port` whatever the URL says, trusting the certificates in `ca` only. */
export function dialing({ port, ca, name, from, ...more }) {
  return {
    ...more,
    createConnection: () => tls.connect({ host: '127.0.0.1', localAddress: from, port: Number(port), servername: name, ca: readFileSync(ca), ALPNProtocols: ['http/1.1'] }),
  };
}

/** A recording WebSocket class with those options. */
export const recordedSocket = (see, dial) => recorded(WebSocket, see, dialing(dial));

/** One JSON object a line on standard output. */
export const say = (thing) => process.stdout.write(`${JSON.stringify(thing)}\n`);

/** Ends the program with the reason on standard error; the output already written is flushed. */
export function fail(error) {
  process.stderr.write(`error: ${error?.message ?? error}\n`);
  process.exitCode = 1;
  setTimeout(() => process.exit(), 100).unref();
}
