// Takes the README's picture: the console on a fault, its cause selected.
import { createRequire } from 'node:module';

const { chromium } = createRequire(new URL('../../tests/real/', import.meta.url))('playwright-core');
const [,, url, picture] = process.argv;
const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, locale: 'en', timezoneId: 'UTC' });
await page.goto(url);
await page.locator('#problems button', { hasText: 'show it' }).first().click();
await page.locator('#detail .advice').waitFor();
// The list is scrolled to it, and nothing is under the pointer.
await page.mouse.move(0, 0);
await page.waitForTimeout(300);
await page.screenshot({ path: picture });
await browser.close();
