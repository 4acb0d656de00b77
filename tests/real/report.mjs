// Opens a report from disk in headless Chromium, as its reader would: light and dark, wide and narrow, on paper. Fails if the page
// asks the network for anything, complains on the console, or is wider than its window. Leaves pictures and a PDF beside it.
//
//   node report.mjs --page FILE --profile DIR

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { fail, say } from './wire.js';

const { values: { page: file, profile } } = parseArgs({ options: { page: { type: 'string' }, profile: { type: 'string' } } });
const base = file.replace(/\.html$/, '');
const address = String(pathToFileURL(file));
const SIZES = { light: { width: 1280, height: 900 }, dark: { width: 1280, height: 900 }, narrow: { width: 400, height: 800 } };

let browser;
try {
  browser = await chromium.launchPersistentContext(join(profile, 'profile'), {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--host-resolver-rules=MAP * ~NOTFOUND'],
    env: { ...process.env, HOME: profile, XDG_CONFIG_HOME: join(profile, 'config'), XDG_CACHE_HOME: join(profile, 'cache') },
  });
  const page = await browser.newPage();
  const trouble = [];
  page.on('request', (request) => { if (request.url() !== address) trouble.push(`it asks for ${request.url()}`); });
  page.on('console', (message) => trouble.push(`console: ${message.text()}`));
  page.on('pageerror', (error) => trouble.push(`error: ${error.message}`));
  for (const [name, size] of Object.entries(SIZES)) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: name === 'dark' ? 'dark' : 'light' });
    await page.goto(address);
    const [wide, ink, paper] = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body);
      return [document.documentElement.scrollWidth, color, backgroundColor];
    });
    if (wide > size.width) trouble.push(`${name}: ${wide} px wide in a window of ${size.width}`);
    const light = (text) => text.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
    if (light(paper) > light(ink) !== (name !== 'dark')) trouble.push(`${name}: ${ink} on ${paper}`);
    await page.screenshot({ path: `${base}.${name}.png`, fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.pdf({ path: `${base}.pdf`, format: 'A4' });
  if (statSync(`${base}.pdf`).size < 10_000) trouble.push('nothing on paper');
  if (trouble.length > 0) throw new Error(trouble.join('; '));
  say({ seen: 'page', text: await page.innerText('main') });
} catch (error) {
  fail(error);
} finally {
  await browser?.close();
}
