// A server that is as particular about its name as an appliance behind single sign-on: in front of Prosody, on two ports.
// Every request has to name its Host, and in Origin and Referer nothing but its own; all but the first have to bring its cookie.
// It redirects to absolute URLs, sets that cookie with a Domain, and sends HSTS, CSP and CORS.
//
//   node strict.mjs --cert FILE --key FILE --host finesse.example.test --behind PORT --behind-ca FILE
//       --other finesse2.example.test     it is a node of two, and this is the other, on the same port
//       --address 127.0.0.2 --port PORT   where it listens, and on which first port
//
//   first port     /desktop redirects to /desktop/index.html; /desktop/… and the WebSocket at /ws/ are Prosody's;
//                  /finesse/api/SystemInfo says who the nodes are and whether Prosody lives, to scripts of the other node too
//   second port    /cross answers scripts of the first
//
// Prints {"listening":[FIRST,SECOND]}, then {"refused":why} for each request that was. Runs until it is killed.

import https from 'node:https';
import { createHash } from 'node:crypto';
import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fail, say } from './wire.js';

const names = ['cert', 'key', 'host', 'behind', 'behind-ca', 'other', 'address', 'port'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { cert, key, host, behind, other, address = '127.0.0.1' } = values;
const prosody = { host: '127.0.0.1', port: Number(behind), servername: host, ca: readFileSync(values['behind-ca']) };
const hsts = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' };
const cookie = `JSESSIONID=${createHash('sha256').update(host).digest('hex').slice(0, 32)}`;
const SYSTEM = '/finesse/api/SystemInfo';
const own = [];
/** The other node's origin: its pages lead here, its scripts ask how this one is. */
let peer;

/** Why a request is refused, if it is. */
function wrong({ headers }, port) {
  const named = [headers.origin, headers.referer && new URL(headers.referer).origin].filter(Boolean);
  const strangers = named.filter((origin) => !own.includes(origin) && origin !== peer);
  if (headers.host !== `${host}:${port}`) return [421, `Host ${headers.host}`];
  if (strangers.length > 0) return [403, `Origin or Referer ${strangers}`];
  return undefined;
}

const withoutCookie = ({ headers }) => (headers.cookie?.includes(cookie) ? undefined : [403, 'no cookie']);

function refuse([status, why], response) {
  say({ refused: why });
  response.writeHead(status, hsts).end(why);
}

/** What a node says about itself: IN_SERVICE while its Prosody can be reached. */
function system({ headers }, response) {
  const nodes = ['primaryNode', 'secondaryNode'].map((node, index) => `<${node}><host>${[host, other].filter(Boolean).sort()[index] ?? ''}</host></${node}>`);
  const domains = `<xmppDomain>${host}</xmppDomain><xmppPubSubDomain>pubsub.${host}</xmppPubSubDomain>`;
  const tell = (status) => {
    if (response.headersSent) return;
    const cors = headers.origin && { 'Access-Control-Allow-Origin': headers.origin, Vary: 'Origin' };
    response.writeHead(200, { ...hsts, ...cors, 'Content-Type': 'application/xml;charset=UTF-8' });
    response.end(`<?xml version="1.0" encoding="UTF-8"?>\n<SystemInfo>${nodes.join('')}<status>${status}</status>${domains}</SystemInfo>`);
  };
  const asked = tls.connect(prosody, () => { tell('IN_SERVICE'); asked.end(); }).on('error', () => tell('OUT_OF_SERVICE'));
}

function serve(port, request, response) {
  const [first] = own;
  const redirects = request.url === '/desktop' || request.url === '/desktop/';
  const open = redirects || request.url === SYSTEM;
  const refused = wrong(request, port) ?? (open ? undefined : withoutCookie(request));
  if (refused) return refuse(refused, response);
  if (request.url === SYSTEM) return system(request, response);
  if (redirects) {
    return response.writeHead(302, { ...hsts, Location: `${first}/desktop/index.html`, 'Set-Cookie': `${cookie}; Domain=${host}; Path=/; Secure; HttpOnly` }).end();
  }
  if (request.url === '/cross') {
    const cors = { 'Access-Control-Allow-Origin': request.headers.origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' };
    return response.writeHead(200, { ...hsts, ...cors }).end('crossed');
  }
  const sockets = own.map((origin) => origin.replace('https', 'wss')).join(' ');
  const policy = `default-src 'none'; img-src data:; script-src ${first} 'unsafe-inline'; connect-src ${[...own, peer].filter(Boolean).join(' ')} ${sockets}`;
  return https.get({ ...prosody, path: request.url, headers: { Host: host } }, (answer) => {
    response.writeHead(answer.statusCode, { ...hsts, 'Content-Type': answer.headers['content-type'], 'Content-Security-Policy': policy });
    answer.pipe(response);
  });
}

function upgrade(port, request, socket, early) {
  const refused = wrong(request, port) ?? withoutCookie(request) ?? (own.includes(request.headers.origin) ? undefined : [403, 'no Origin of its own']);
  if (refused) {
    say({ refused: refused[1] });
    return socket.end(`HTTP/1.1 ${refused[0]} No\r\nContent-Length: 0\r\n\r\n`);
  }
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  for (let index = 0; index < request.rawHeaders.length; index += 2) lines.push(request.rawHeaders.slice(index, index + 2).join(': '));
  const to = tls.connect(prosody, () => {
    to.write(`${lines.join('\r\n')}\r\n\r\n`);
    to.write(early);
    to.pipe(socket).pipe(to);
  });
  to.on('error', () => socket.destroy());
  return socket.on('error', () => to.destroy());
}

try {
  const servers = [0, 1].map(() => https.createServer({ cert: readFileSync(cert), key: readFileSync(key) }));
  const listening = (server, port) => new Promise((resolve, reject) => {
    server.on('error', reject).listen(port, address, () => resolve(server.address().port));
  });
  const ports = await Promise.all(servers.map((server, index) => listening(server, index === 0 ? Number(values.port ?? 0) : 0)));
  peer = other && `https://${other}:${ports[0]}`;
  ports.forEach((port, index) => {
    own.push(`https://${host}:${port}`);
    servers[index].on('request', (request, response) => serve(port, request, response));
    servers[index].on('upgrade', (request, socket, early) => upgrade(port, request, socket, early));
  });
  say({ listening: ports });
} catch (error) {
  fail(error);
}
