// Chromium's own DevTools front end: what "Export HAR" writes of a page, and what "Import HAR" makes of a file. It is the
// bundled front end itself (devtools://), its modules called as its buttons call them.
//
//   inspect(context, page, profile)     a front end attached to a page; har() is what "Export HAR (sanitized)" would write
//   node devtools.mjs FILE…             imports HARs, one after the other; prints each request it then lists as a JSON line,
//                                       and {seen:'imported',file,requests} behind the last one of a file

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { fail, say } from './wire.js';

const DEADLINE_MS = 30_000;
const FRONT_END = 'devtools://devtools/bundled/';

/** What a browser is started with so that its own front end may attach to a page of it. */
export const DEBUGGED = ['--remote-debugging-port=0', '--remote-allow-origins=devtools://devtools'];

/** Attaches a front end to `page` of a browser with that `profile`. */
export async function inspect(context, page, profile) {
  const session = await context.newCDPSession(page);
  const { targetInfo: { targetId } } = await session.send('Target.getTargetInfo');
  const [port] = readFileSync(join(profile, 'DevToolsActivePort'), 'utf8').split('\n');
  const front = await context.newPage();
  await front.goto(`${FRONT_END}inspector.html?ws=127.0.0.1:${port}/devtools/page/${targetId}&panel=network`);
  const listed = () => front.evaluate(async (base) => {
    const { NetworkLog } = await import(new URL('models/logs/logs.js', base));
    return NetworkLog.NetworkLog.instance().requests().length;
  }, FRONT_END);
  return {
    /** Resolves when the front end records: it lists a request that the page makes for that. */
    async recording() {
      const end = Date.now() + DEADLINE_MS;
      do {
        await page.goto('data:text/plain,recording');
        if (Date.now() > end) throw new Error('the DevTools front end records nothing');
      } while (await listed() === 0);
    },
    /** The text of "Export HAR (sanitized)". */
    har: () => front.evaluate(async (base) => {
      const at = (module) => import(new URL(module, base));
      const [{ NetworkLog }, { Writer }] = await Promise.all(['models/logs/logs.js', 'models/har/har.js'].map(at));
      let text = '';
      const stream = { write(part) { text += part; return Promise.resolve(); } };
      const progress = { canceled: false, createSubProgress: () => progress };
      await Writer.Writer.write(stream, NetworkLog.NetworkLog.instance().requests(), { sanitize: true }, progress);
      return text;
    }, FRONT_END),
  };
}

/** What the Network panel lists after "Import HAR". */
async function imported(context, file) {
  const front = await context.newPage();
  const errors = [];
  front.on('pageerror', (error) => errors.push(error));
  await front.goto(`${FRONT_END}devtools_app.html`);
  const requests = await front.evaluate(async ([base, text]) => {
    const at = (module) => import(new URL(module, base));
    const [{ NetworkPanel }, { NetworkLog }] = await Promise.all(['panels/network/network.js', 'models/logs/logs.js'].map(at));
    const panel = NetworkPanel.NetworkPanel.instance();
    await panel.networkLogView.onLoadFromFile(new File([text], 'imported.har', { type: 'application/json' }));
    const frame = ({ type, time, text, opCode }) => ({ type, time, text, opCode });
    return NetworkLog.NetworkLog.instance().requests().map((request) => ({
      seen: 'request',
      url: request.url(),
      method: request.requestMethod,
      status: request.statusCode,
      kind: request.resourceType().name(),
      start: request.startTime,
      end: request.endTime,
      size: request.resourceSize,
      requestHeaders: request.requestHeaders().length,
      responseHeaders: request.responseHeaders.length,
      finished: request.finished,
      frames: request.frames().map(frame),
    }));
  }, [FRONT_END, readFileSync(file, 'utf8')]);
  await front.close();
  if (errors.length) throw errors[0];
  return requests;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  let browser;
  try {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
    const context = await browser.newContext();
    for (const file of process.argv.slice(2)) {
      const requests = await imported(context, file);
      requests.forEach(say);
      say({ seen: 'imported', file, requests: requests.length });
    }
  } catch (error) {
    fail(error);
  } finally {
    await browser?.close();
  }
}
