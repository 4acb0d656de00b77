// The same in headless Chromium: opens https://HOST:PORT/desktop/index.html, which is served from this folder, and runs it.
// Prints what the page saw as JSON lines, in order (see desktop.js); exit 0 when all of it came about.
//
//   FINESSE_TAP_TEST_PASSWORD=… node browser.mjs --what login|talk --host finesse.example.test --port 8445 --dial PORT --profile DIR
//       --trust pin|store --ca FILE            how the browser comes to trust FILE: its key named on the command line, or the
//                                              certificate put into the (throwaway) user's certificate store with certutil
//       --library desktop|current --user 1001 --server PORT --server-ca FILE        login: as in login.mjs
//       --har FILE                                             playwright records a HAR into FILE
//       --exported FILE                                        DevTools' own "Export HAR (sanitized)" goes to FILE
//       --count N                                                                   talk: how many stanzas
//
// DIR becomes profile and home, so that nothing outside it is read or changed.

import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { DEBUGGED, inspect } from './devtools.mjs';
import { READY, READY_ITEM, tomcat } from './tomcat.js';
import { fail, say } from './wire.js';

const names = ['what', 'host', 'port', 'dial', 'profile', 'trust', 'ca', 'library', 'user', 'server', 'server-ca', 'count', 'har', 'exported'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { what, host, port, dial, profile, trust, ca, library, user, server, count } = values;
const password = process.env.FINESSE_TAP_TEST_PASSWORD;

const trusting = {
  pin() {
    const key = new X509Certificate(readFileSync(ca)).publicKey.export({ type: 'spki', format: 'der' });
    return [`--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`];
  },
  store() {
    const store = join(profile, '.pki', 'nssdb');
    mkdirSync(store, { recursive: true });
    execFileSync('certutil', ['-d', `sql:${store}`, '-N', '--empty-password']);
    execFileSync('certutil', ['-d', `sql:${store}`, '-A', '-n', 'under test', '-t', 'C,,', '-i', ca]);
    return [];
  },
};

let browser;
try {
  browser = await chromium.launchPersistentContext(join(profile, 'profile'), {
    executablePath: '/usr/bin/chromium',
    recordHar: values.har && { path: values.har, mode: 'full', content: 'embed' },
    // No address is looked up: whatever is not mapped must fail.
    args: ['--no-sandbox', ...(values.exported ? DEBUGGED : []), '--disable-quic', `--host-resolver-rules=MAP ${host}:${port} 127.0.0.1:${dial}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`, ...trusting[trust]()],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: join(profile, 'config'), XDG_CACHE_HOME: join(profile, 'cache') },
  });
  const finesse = what === 'login' ? await tomcat({ host, users: [user], port: server, ca: values['server-ca'], password }) : undefined;
  const page = await browser.newPage();
  page.on('console', (message) => process.stderr.write(`page: ${message.text()}\n`));
  await page.exposeFunction('see', say);
  await page.exposeFunction('publish', () => finesse.publish(READY, READY_ITEM));
  const front = values.exported && await inspect(browser, page, join(profile, 'profile'));
  await front?.recording();
  await page.goto(`https://${host}:${port}/desktop/index.html`);
  await page.evaluate(([name, options]) => globalThis.desktop[name](options), [what, { library, user, host, password, count: Number(count) }]);
  if (front) writeFileSync(values.exported, await front.har());
  await finesse?.end();
} catch (error) {
  fail(error);
} finally {
  await browser?.close();
}
