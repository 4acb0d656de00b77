// Uses the console as its reader would, in headless Chromium: filter, search, click through, pause, mark, export, keyboard,
// reload, a lost connection. Fails if the page asks anybody else for anything, breaks its own policy, complains on the console,
// scrolls sideways, or has a violation that axe-core finds. Leaves pictures beside --pictures.
//
//   node console.mjs --url ADDRESS --profile DIR --pictures PREFIX [--live]
//
// Says one line of JSON per step. With --live it waits for a line `go` on standard input where the server is to vanish.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { fail, say } from './wire.js';

const { values: { url, profile, pictures, live } } = parseArgs({ options: {
  url: { type: 'string' }, profile: { type: 'string' }, pictures: { type: 'string' }, live: { type: 'boolean', default: false },
} });
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const origin = new URL(url).origin;
const trouble = [];

// In a world of its own, as a debugger would: the page's policy lets no script in.
async function violations(context, page) {
  const session = await context.newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  await session.send('Runtime.evaluate', { expression: axe, contextId });
  const expression = 'axe.run().then((found) => JSON.stringify(found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`)))';
  const { result } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true });
  return JSON.parse(result.value);
}

const rows = (page) => page.locator('#rows .row .gist').allInnerTexts();
const settled = (page, check, what) => page.waitForFunction(check, undefined, { timeout: 10_000 }).catch(() => { throw new Error(`waited in vain for ${what}`); });

let browser;
try {
  browser = await chromium.launchPersistentContext(join(profile, 'profile'), {
    executablePath: '/usr/bin/chromium', acceptDownloads: true,
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: join(profile, 'config'), XDG_CACHE_HOME: join(profile, 'cache') },
    viewport: { width: 1400, height: 860 },
  });
  const page = await browser.newPage();
  page.on('request', (request) => { if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) trouble.push(`it asks for ${request.url()}`); });
  page.on('console', (message) => { if (!/ERR_|EventSource|Failed to load/.test(message.text())) trouble.push(`console: ${message.text()}`); });
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective}`)));

  await page.goto(url);
  await settled(page, () => document.querySelectorAll('#rows .row').length > 5, 'rows');
  if (page.url().includes('token')) trouble.push('the token stays in the address');
  say({ step: 'open', title: await page.title(), agents: await page.locator('#agents .agent').allInnerTexts(), problems: await page.innerText('#problems') });
  trouble.push(...(await violations(browser, page)));
  await page.screenshot({ path: `${pictures}.light.png` });

  await page.fill('#query', 'kind update');
  await settled(page, () => [...document.querySelectorAll('#rows .kind')].length > 0 && [...document.querySelectorAll('#rows .kind')].every((kind) => kind.textContent === 'update'), 'updates only');
  await page.fill('#query', 'kind');
  await page.fill('#query', 'agent (');
  await settled(page, () => !document.getElementById('query-error').hidden, 'what is wrong with the filter');
  say({ step: 'wrong filter', error: await page.innerText('#query-error') });
  await page.fill('#query', '');
  await page.fill('#search', 'READY');
  await settled(page, () => [...document.querySelectorAll('#rows .gist')].some((gist) => gist.textContent.includes('READY')) && document.getElementById('query-error').hidden, 'what was searched for');
  say({ step: 'search', rows: (await rows(page)).length });
  await page.locator('#rows .row', { hasText: '→ READY' }).first().click();
  await settled(page, () => document.querySelector('#detail h2'), 'the message');
  say({ step: 'message', title: await page.innerText('#detail h2'), tabs: await page.locator('[role=tab]').allInnerTexts(), tree: await page.innerText('#form') });
  await page.screenshot({ path: `${pictures}.message.png` });
  trouble.push(...(await violations(browser, page)));
  const cause = page.locator('#detail .links button').first();
  if (await cause.count()) {
    await cause.click();
    await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('PUT'), 'the request behind it');
    await page.keyboard.press('b');
    await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('READY'), 'the way back');
  }
  const address = page.url();
  await page.reload();
  await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('READY'), 'the same view after a reload');
  if (page.url() !== address) trouble.push('a reload changes the address');
  await page.fill('#search', '');

  await page.locator('#list').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await settled(page, () => document.querySelector('#rows [aria-selected=true]'), 'a selection by keyboard');
  await page.keyboard.press('?');
  await settled(page, () => document.getElementById('dialog').open, 'help');
  trouble.push(...(await violations(browser, page)));
  await page.keyboard.press('Escape');
  await page.keyboard.press('Space');
  await settled(page, () => document.getElementById('pause').getAttribute('aria-pressed') === 'true', 'a pause');
  await page.keyboard.press('Space');
  await page.locator('#agents .agent').first().click();
  await settled(page, () => document.querySelector('.agent[aria-pressed=true]'), 'one agent');
  await page.locator('#agents .agent').first().click();

  await page.emulateMedia({ colorScheme: 'dark' });
  trouble.push(...(await violations(browser, page)));
  await page.screenshot({ path: `${pictures}.dark.png` });
  for (const [width, height] of [[360, 740], [800, 900], [3840, 2160]]) {
    await page.setViewportSize({ width, height });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) trouble.push(`${wide} px wide in a window of ${width}`);
    await page.screenshot({ path: `${pictures}.${width}.png` });
  }
  await page.setViewportSize({ width: 1400, height: 860 });
  await page.emulateMedia({ colorScheme: 'light' });

  if (live) {
    await page.keyboard.press('m');
    await page.fill('#dialog input', 'it hangs <b>now</b>');
    await page.keyboard.press('Enter');
    await settled(page, () => [...document.querySelectorAll('#rows .gist')].some((gist) => gist.textContent.includes('it hangs <b>now</b>')), 'the note in the list');
    say({ step: 'mark' });
  }
  if (trouble.length > 0) throw new Error([...new Set(trouble)].join('; '));
  say({ step: 'done' });
} catch (error) {
  fail(trouble.length > 0 ? new Error(`${error.message}; ${trouble.join('; ')}`) : error);
} finally {
  await browser?.close();
}
