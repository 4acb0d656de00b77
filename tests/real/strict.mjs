// A server that is as particular about its name as an appliance behind single sign-on: in front of Prosody, on two ports.
// Every request has to name its Host, and in Origin and Referer nothing but its own; all but the first have to bring its cookie.
// It redirects to absolute URLs, sets that cookie with a Domain, and sends HSTS, CSP and CORS.
//
//   node strict.mjs --cert FILE --key FILE --host finesse.example.test --behind PORT --behind-ca FILE
//
//   first port     /desktop redirects to /desktop/index.html; /desktop/… and the WebSocket at /ws/ are Prosody's
//   second port    /cross answers scripts of the first
//
// Prints {"listening":[FIRST,SECOND]}, then {"refused":why} for each request that was. Runs until it is killed.

import https from 'node:https';
import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { fail, say } from './wire.js';

const names = ['cert', 'key', 'host', 'behind', 'behind-ca'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { cert, key, host, behind } = values;
const prosody = { host: '127.0.0.1', port: Number(behind), servername: host, ca: readFileSync(values['behind-ca']) };
const hsts = { 'Strict-Transport-Security': 'max-age=31536000; includeSubDomains' };
const cookie = 'JSESSIONID=C0ffee5ess10n';
const own = [];

/** Why a request is refused, if it is. */
function wrong({ headers }, port) {
  const strangers = [headers.origin, headers.referer && new URL(headers.referer).origin].filter(Boolean).filter((origin) => !own.includes(origin));
  if (headers.host !== `${host}:${port}`) return [421, `Host ${headers.host}`];
  if (strangers.length > 0) return [403, `Origin or Referer ${strangers}`];
  return undefined;
}

const withoutCookie = ({ headers }) => (headers.cookie?.includes(cookie) ? undefined : [403, 'no cookie']);

function refuse([status, why], response) {
  say({ refused: why });
  response.writeHead(status, hsts).end(why);
}

function serve(port, request, response) {
  const [first] = own;
  const redirects = request.url === '/desktop' || request.url === '/desktop/';
  const refused = wrong(request, port) ?? (redirects ? undefined : withoutCookie(request));
  if (refused) return refuse(refused, response);
  if (redirects) {
    return response.writeHead(302, { ...hsts, Location: `${first}/desktop/index.html`, 'Set-Cookie': `${cookie}; Domain=${host}; Path=/; Secure; HttpOnly` }).end();
  }
  if (request.url === '/cross') {
    const cors = { 'Access-Control-Allow-Origin': request.headers.origin, 'Access-Control-Allow-Credentials': 'true', Vary: 'Origin' };
    return response.writeHead(200, { ...hsts, ...cors }).end('crossed');
  }
  const sockets = own.map((origin) => origin.replace('https', 'wss')).join(' ');
  const policy = `default-src 'none'; img-src data:; script-src ${first} 'unsafe-inline'; connect-src ${own.join(' ')} ${sockets}`;
  return https.get({ ...prosody, path: request.url, headers: { Host: host } }, (answer) => {
    response.writeHead(answer.statusCode, { ...hsts, 'Content-Type': answer.headers['content-type'], 'Content-Security-Policy': policy });
    answer.pipe(response);
  });
}

function upgrade(port, request, socket, early) {
  const refused = wrong(request, port) ?? withoutCookie(request) ?? (request.headers.origin ? undefined : [403, 'no Origin']);
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
  const ports = await Promise.all(servers.map((server) => new Promise((resolve) => { server.listen(0, '127.0.0.1', () => resolve(server.address().port)); })));
  ports.forEach((port, index) => {
    own.push(`https://${host}:${port}`);
    servers[index].on('request', (request, response) => serve(port, request, response));
    servers[index].on('upgrade', (request, socket, early) => upgrade(port, request, socket, early));
  });
  say({ listening: ports });
} catch (error) {
  fail(error);
}
