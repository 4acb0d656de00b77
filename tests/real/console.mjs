// Uses the console as its reader would, in headless Chromium: filter, search, click through, pause, mark, export, keyboard,
// reload, a program that falls silent, 100,000 rows that come while one looks. Fails if the page asks anybody else for
// anything, breaks its own policy, complains on the console, scrolls sideways, takes text for markup, or has a violation that
// axe-core finds. Leaves pictures beside --pictures.
//
//   node console.mjs --url ADDRESS --profile DIR --pictures PREFIX [--grow FILE --pid PID | --live]
//
// --grow: lines of FILE are appended to it again and again, and PID is stopped for a while. --live: the program records, so a
// moment can be marked. Says one line of JSON per step.

import { appendFileSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { fail, say } from './wire.js';

const { values: { url, profile, pictures, grow, pid, live } } = parseArgs({ options: {
  url: { type: 'string' }, profile: { type: 'string' }, pictures: { type: 'string' }, grow: { type: 'string' }, pid: { type: 'string' },
  live: { type: 'boolean', default: false },
} });
const LIVE_ROWS = 100_000;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const origin = new URL(url).origin;
const trouble = [];

// In a world of its own, as a debugger would: the page's policy lets no script in.
async function look(context, page, where) {
  const session = await context.newCDPSession(page);
  const { frameTree } = await session.send('Page.getFrameTree');
  const { executionContextId: contextId } = await session.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id });
  await session.send('Runtime.evaluate', { expression: axe, contextId });
  const expression = 'axe.run().then((found) => JSON.stringify(found.violations.map((one) => `${one.id}: ${one.nodes[0].html}`)))';
  const { result } = await session.send('Runtime.evaluate', { expression, contextId, awaitPromise: true });
  trouble.push(...JSON.parse(result.value).map((found) => `axe, ${where}: ${found}`));
}

const settled = (page, check, what, argument) => page.waitForFunction(check, argument, { timeout: 20_000 }).catch(() => { throw new Error(`waited in vain for ${what}`); });
const count = async (page) => Number(/of ([\d,]+) line/.exec(await page.innerText('#count'))?.[1].replaceAll(',', ''));

async function filter(page) {
  await page.fill('#query', 'kind update');
  await settled(page, () => { const kinds = [...document.querySelectorAll('#rows .kind')]; return kinds.length && kinds.every((kind) => kind.textContent === 'update'); }, 'updates only');
  await page.fill('#query', 'kind upd');
  await settled(page, () => !document.getElementById('completions').hidden, 'a completion');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  if (await page.inputValue('#query') !== 'kind update ') trouble.push(`it completes to ${await page.inputValue('#query')}`);
  await page.fill('#query', 'agent (');
  await settled(page, () => !document.getElementById('query-error').hidden, 'what is wrong with the filter');
  say({ step: 'wrong filter', error: await page.innerText('#query-error') });
  await page.fill('#query', '');
  await page.fill('#search', 'ready');
  await settled(page, () => [...document.querySelectorAll('#rows .gist')].some((gist) => gist.textContent.includes('→ READY')) && document.getElementById('query-error').hidden, 'what was searched for');
}

async function clickThrough(page, context) {
  await page.locator('#rows .row', { hasText: '→ READY' }).first().click();
  await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('READY'), 'the message');
  say({ step: 'message', title: await page.innerText('#detail h2'), tabs: await page.locator('[role=tab]').allInnerTexts() });
  await page.screenshot({ path: `${pictures}.message.png` });
  await look(context, page, 'a message');
  const cause = page.locator('#detail .links button').first();
  await cause.click();
  await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('PUT'), 'the request behind it');
  await page.keyboard.press('b');
  await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('READY'), 'the way back');
  const address = page.url();
  await page.reload();
  await settled(page, () => document.querySelector('#detail h2')?.textContent.includes('READY') && document.getElementById('search').value === 'ready', 'the same view after a reload');
  if (page.url() !== address) trouble.push('a reload changes the address');
  await page.fill('#search', '');
}

async function keyboard(page, context) {
  await page.locator('#list').focus();
  await page.keyboard.press('g');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await settled(page, () => document.querySelector('#rows [aria-selected=true]'), 'a selection by keyboard');
  const first = await page.getAttribute('#rows [aria-selected=true]', 'id');
  await page.keyboard.press('k');
  await settled(page, (first) => document.querySelector('#rows [aria-selected=true]')?.id !== first, 'the one before', first);
  await page.keyboard.press('?');
  await settled(page, () => document.getElementById('dialog').open, 'help');
  await look(context, page, 'help');
  await page.keyboard.press('Escape');
  await page.keyboard.press('f');
  await settled(page, () => document.activeElement.id === 'query', 'the filter by key');
  await page.keyboard.press('Escape');
  await page.locator('#list').focus();
  await page.keyboard.press('/');
  await settled(page, () => document.activeElement.id === 'search', 'the search by key');
  await page.locator('#list').focus();
  await page.keyboard.press('Space');
  await settled(page, () => document.getElementById('pause').getAttribute('aria-pressed') === 'true', 'a pause');
  await page.keyboard.press('Space');
  await page.locator('#agents .agent').first().click();
  await settled(page, () => document.querySelector('.agent[aria-pressed=true]'), 'one agent');
  await page.locator('#agents .agent').first().click();
}

async function exported(page) {
  await page.keyboard.press('e');
  const [download] = await Promise.all([page.waitForEvent('download'), page.click('#dialog button:has-text("Transcript")')]);
  say({ step: 'export', file: download.suggestedFilename(), bytes: readFileSync(await download.path()).length });
  await page.keyboard.press('Escape');
}

async function sizes(page, context) {
  await page.emulateMedia({ colorScheme: 'dark' });
  await look(context, page, 'dark');
  await page.screenshot({ path: `${pictures}.dark.png` });
  for (const [width, height] of [[360, 740], [800, 900], [3840, 2160]]) {
    await page.setViewportSize({ width, height });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    if (wide > width) trouble.push(`${wide} px wide in a window of ${width}`);
    await look(context, page, `${width} px`);
    await page.screenshot({ path: `${pictures}.${width}.png` });
  }
  await page.emulateMedia({ colorScheme: 'light', media: 'print' });
  await page.screenshot({ path: `${pictures}.print.png` });
  await page.emulateMedia({ media: 'screen' });
  await page.setViewportSize({ width: 1400, height: 860 });
}

// While the program is stopped the page says so; afterwards nothing is missing.
async function silence(page, lines) {
  const before = await count(page);
  process.kill(Number(pid), 'SIGSTOP');
  appendFileSync(grow, lines);
  await settled(page, () => !document.getElementById('offline').hidden, 'the word that nobody answers');
  process.kill(Number(pid), 'SIGCONT');
  await settled(page, () => document.getElementById('offline').hidden, 'the connection');
  const expected = before + lines.split('\n').length - 1;
  await settled(page, (expected) => document.getElementById('count').textContent.includes(`of ${expected.toLocaleString('en')} line`), `${expected} lines`, expected);
  say({ step: 'reconnect', lines: expected });
}

async function flood(page, lines) {
  await page.keyboard.press('G');
  const before = await count(page);
  const each = lines.split('\n').length - 1;
  await page.evaluate(() => {
    window.longest = 0;
    let last = performance.now();
    const frame = (now) => { window.longest = Math.max(window.longest, now - last); last = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
  });
  const began = Date.now();
  let added = 0;
  while (added < LIVE_ROWS) {
    const some = Math.ceil(500 / each);
    appendFileSync(grow, lines.repeat(some));
    added += some * each;
    const ahead = added / 5 - (Date.now() - began);
    if (ahead > 0) await new Promise((resolve) => setTimeout(resolve, ahead));
  }
  const written = Date.now() - began;
  const expected = before + added;
  await settled(page, (expected) => document.getElementById('count').textContent.includes(`of ${expected.toLocaleString('en')} line`), `${expected} lines`, expected);
  const [elements, longest, atEnd] = await page.evaluate(() => [document.querySelectorAll('#rows .row').length, Math.round(window.longest),
    Math.abs(document.getElementById('list').scrollHeight - document.getElementById('list').scrollTop - document.getElementById('list').clientHeight) < 30]);
  if (elements > 200) trouble.push(`${elements} rows are drawn`);
  if (!atEnd) trouble.push('the list does not follow');
  say({ step: 'flood', rows: added, seconds: written / 1000, behind: Date.now() - began - written, longest, elements });
}

let browser;
try {
  browser = await chromium.launchPersistentContext(join(profile, 'profile'), {
    executablePath: '/usr/bin/chromium', acceptDownloads: true, locale: 'en',
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1'],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: join(profile, 'config'), XDG_CACHE_HOME: join(profile, 'cache') },
    viewport: { width: 1400, height: 860 },
  });
  const page = await browser.newPage();
  page.on('request', (request) => { if (!request.url().startsWith(origin) && !/^(blob|data):/.test(request.url())) trouble.push(`it asks for ${request.url()}`); });
  page.on('console', (message) => { if (!/ERR_|EventSource|status of 400/.test(message.text())) trouble.push(`console: ${message.text()}`); });
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  await page.addInitScript(() => document.addEventListener('securitypolicyviolation', (event) => console.error(`policy: ${event.violatedDirective}`)));

  await page.goto(url);
  await settled(page, () => document.querySelectorAll('#rows .row').length > 5, 'rows');
  if (page.url().includes('token')) trouble.push('the token stays in the address');
  say({ step: 'open', title: await page.title(), agents: await page.locator('#agents .agent').allInnerTexts(), problems: await page.innerText('#problems') });
  await look(browser, page, 'the page');
  await page.screenshot({ path: `${pictures}.light.png` });
  if (live) {
    await page.keyboard.press('m');
    await page.fill('#dialog input', 'it hangs <b>now</b>');
    await page.keyboard.press('Enter');
    await settled(page, () => [...document.querySelectorAll('#rows .gist')].some((gist) => gist.textContent.includes('it hangs <b>now</b>')), 'the note in the list');
    say({ step: 'mark' });
  } else {
    await filter(page);
    await clickThrough(page, browser);
    await keyboard(page, browser);
    await exported(page);
    await sizes(page, browser);
  }
  const markup = await page.evaluate(() => [window.pwned, document.querySelectorAll('img, iframe, script:not([src])').length]);
  if (markup[0] || markup[1]) trouble.push('text became markup');
  if (grow) {
    const lines = readFileSync(grow, 'utf8');
    await silence(page, lines);
    await flood(page, lines);
  }
  if (trouble.length > 0) throw new Error([...new Set(trouble)].join('; '));
  say({ step: 'done' });
} catch (error) {
  fail(trouble.length > 0 ? new Error(`${error.message}; ${[...new Set(trouble)].join('; ')}`) : error);
} finally {
  await browser?.close();
}
