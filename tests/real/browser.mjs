// The same in headless Chromium: opens https://HOST:PORT/desktop/index.html, which is served from this folder, and runs it.
// Prints what the page saw as JSON lines, in order (see desktop.js); exit 0 when all of it came about.
//
//   FINESSE_TAP_TEST_PASSWORD=… node browser.mjs --what login|talk|failover --host finesse.example.test --port 8445 --dial PORT --profile DIR
//       --trust pin|store --ca FILE            how the browser comes to trust FILE: its key named on the command line, or the
//                                              certificate put into the (throwaway) user's certificate store with certutil
//       --library desktop|current --user 1001 --server PORT --server-ca FILE        login: as in login.mjs
//       --over bosh                                                                 login: without WebSocket
//       --other HOST --other-server PORT --other-server-ca FILE                     failover: settles on the page's node, which is then to
//                                              be stopped (after {"seen":"settled"}), goes on to the other's page, and logs in there
//       --har FILE                                             playwright records a HAR into FILE
//       --exported FILE                                        DevTools' own "Export HAR (sanitized)" goes to FILE
//       --count N                                                                   talk: how many stanzas
//       --page URL                             open this instead, which leads to the same page
//       --cross URL                            fetch this from a script of the page, and tell what came
//       --attach DIR                           no browser is started: the one with its profile below DIR is used, which has the page
//                                              open already and is closed at the end (--profile, --trust, --ca are not needed then)
//
// DIR becomes profile and home, so that nothing outside it is read or changed.

import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { DEBUGGED, inspect } from './devtools.mjs';
import { READY, READY_ITEM, tomcat } from './tomcat.js';
import { fail, say } from './wire.js';

const names = ['what', 'host', 'port', 'dial', 'profile', 'trust', 'ca', 'library', 'user', 'server', 'server-ca', 'count', 'har', 'exported', 'page', 'cross', 'attach', 'over', 'other', 'other-server', 'other-server-ca'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const { what, host, port, dial, profile, trust, ca, library, user, server, count, cross, attach, over, other } = values;
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

/** A browser of our own. */
async function launched() {
  const browser = await chromium.launchPersistentContext(join(profile, 'profile'), {
    executablePath: '/usr/bin/chromium',
    recordHar: values.har && { path: values.har, mode: 'full', content: 'embed' },
    // No address is looked up: whatever is not mapped must fail.
    args: ['--no-sandbox', ...(values.exported ? DEBUGGED : []), '--disable-quic', `--host-resolver-rules=MAP ${host}:${port} 127.0.0.1:${dial}, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1`, ...trusting[trust]()],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: join(profile, 'config'), XDG_CACHE_HOME: join(profile, 'cache') },
  });
  const page = await browser.newPage();
  return { page, open: () => page.goto(values.page ?? `https://${host}:${port}/desktop/index.html`), close: () => browser.close() };
}

/** Somebody else's, once it says where it can be reached. */
async function attached() {
  const place = () => readdirSync(attach).map((name) => join(attach, name, 'DevToolsActivePort')).find(existsSync);
  const lines = () => readFileSync(place(), 'utf8').split('\n');
  for (let wait = 0; !place() || lines().length < 2; wait += 1) {
    if (wait > 600) throw new Error('no browser in sight');
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  const browser = await chromium.connectOverCDP(`http://127.0.0.1:${lines()[0]}`);
  const [context] = browser.contexts();
  const page = context.pages()[0] ?? await context.waitForEvent('page');
  // It has opened the page by itself. Once more, now that the browser knows of HSTS.
  const open = async () => {
    await page.waitForURL('**/index.html');
    await page.reload();
  };
  return { page, open, close: async () => (await browser.newBrowserCDPSession()).send('Browser.close').catch(() => {}) };
}

/** Runs what the page can do, once it is there. */
async function perform(page, name, options) {
  await page.waitForFunction(() => globalThis.desktop);
  return page.evaluate(([called, given]) => globalThis.desktop[called](given), [name, options]);
}

let browser;
try {
  browser = await (attach ? attached() : launched());
  let finesse = what !== 'talk' ? await tomcat({ host, users: [user], port: server, ca: values['server-ca'], password }) : undefined;
  const { page } = browser;
  page.on('console', (message) => process.stderr.write(`page: ${message.text()}\n`));
  await page.exposeFunction('see', say);
  await page.exposeFunction('publish', () => finesse.publish(READY, READY_ITEM));
  const front = values.exported && await inspect(page.context(), page, join(profile, 'profile'));
  await front?.recording();
  await browser.open();
  const next = await perform(page, what, { library, user, host, password, over, count: Number(count) });
  if (what === 'failover') {
    finesse = await tomcat({ host: other, users: [user], port: values['other-server'], ca: values['other-server-ca'], password });
    await Promise.all([page.waitForURL(`${next}/desktop/index.html`), page.evaluate((url) => location.assign(url), `${next}/desktop`)]);
    say({ seen: 'moved', url: page.url() });
    await perform(page, 'login', { library, user, host: other, password });
  }
  if (front) writeFileSync(values.exported, await front.har());
  if (cross) say({ seen: 'crossed', text: await page.evaluate((url) => fetch(url, { credentials: 'include' }).then((answer) => answer.text()), cross) });
  say({ seen: 'page', url: page.url(), cookies: (await page.context().cookies(page.url())).map(({ name, domain }) => `${name} ${domain}`) });
  await finesse?.end();
} catch (error) {
  fail(error);
} finally {
  await browser?.close();
}
