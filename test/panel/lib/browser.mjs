// Debian's Chromium, and pages that remember everything the browser complained about.
import { chromium } from 'playwright-core';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

export const PATIENCE = Number(process.env.STAFFETTA_PATIENCE ?? 1);
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

// --no-sandbox: tests run as root, and the only pages opened are our own.
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--disable-dev-shm-usage', '--force-color-profile=srgb'];

export function launch() {
  return chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS, timeout: 60e3 * PATIENCE });
}

/* An answer of the API that refuses is shown by the page; Chromium writes it to the console too. */
function isRefusal(message) {
  const url = message.location().url;
  return /^Failed to load resource: the server responded with a status of 4\d\d/.test(message.text()) &&
    url.includes('/api/v1/');
}

/* Runs in the page, before its own scripts; CSP does not concern it. */
function reportViolations() {
  document.addEventListener('securitypolicyviolation', (event) => {
    console.error(`CSP ${event.violatedDirective}: ${event.blockedURI} ${event.sample} ` +
      `${event.sourceFile}:${event.lineNumber}`);
  });
}

/* A context of its own: cookies, language, theme, width.  `page.complaints` must stay empty;
 * `mayFail`: the error state of a page is being tried, where the API answers 5xx; `page.forgiven`: what the
 * browser says while a journey's service is down. */
export async function newPage(browser, { language = 'en', theme = 'light', width = 1280, height = 900,
  mayFail = false, forced = false, cookies = [], storage = {} } = {}) {
  const context = await browser.newContext({
    viewport: { width, height }, locale: language === 'it' ? 'it-IT' : 'en-GB', colorScheme: theme,
    timezoneId: 'Europe/Rome', ignoreHTTPSErrors: true, reducedMotion: 'reduce', acceptDownloads: true,
    forcedColors: forced ? 'active' : 'none',
  });
  await context.addInitScript({ content: AXE });
  await context.addInitScript(reportViolations);
  if (cookies.length) await context.addCookies(cookies);
  await context.addInitScript((entries) => {
    for (const [key, value] of Object.entries(entries)) {
      try { if (localStorage.getItem(key) === null) localStorage.setItem(key, value); } catch { /* about:blank */ }
    }
  }, storage);
  const page = await context.newPage();
  page.complaints = [];
  page.setDefaultTimeout(15e3 * PATIENCE);
  page.on('console', (message) => {
    if (message.type() !== 'error' || isRefusal(message)) return;
    if (mayFail && message.text().startsWith('Failed to load resource')) return;
    if (page.forgiven?.test(message.text())) return;
    page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(String(error.stack ?? error)));
  return page;
}

export async function closePage(page) {
  await page.context().close();
  if (page.complaints.length) throw new Error('the browser complained:\n' + page.complaints.join('\n'));
}

/* A page that is new, or a dialogue, has the focus on its heading or in a field: a screen reader begins there.
 * Where something was pressed, the focus may stay on it, but must be somewhere. */
export function lostFocus(page, pressed = false) {
  return page.evaluate((wasPressed) => {
    const dialog = [...document.querySelectorAll('dialog[open]')].at(-1), at = document.activeElement;
    if (!document.querySelector('h1')) return [];
    const good = dialog ? dialog.contains(at) : at?.matches(wasPressed ? 'body *' : 'h1, input, [role=alert], .summary');
    return good ? [] : [`the focus is not on the heading: ${at?.tagName}.${at?.className}`];
  }, pressed);
}

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

/* What axe-core finds, one text a finding; and our own checks of reflow and focus. */
export async function findings(page, pressed = false) {
  const result = await page.evaluate((values) => globalThis.axe.run(document,
    { runOnly: { type: 'tag', values }, rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] }), RULES);
  const texts = result.violations.flatMap((violation) => violation.nodes.map((node) =>
    `${violation.id}: ${node.target.join(' ')}: ${node.failureSummary?.replace(/\s+/g, ' ')}`));
  const sideways = await page.evaluate(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= root.clientWidth + 1) return '';
    const wide = [...document.querySelectorAll('body *')].find((element) =>
      element.getBoundingClientRect().right > root.clientWidth + 1);
    return `the page scrolls sideways (${root.scrollWidth} > ${root.clientWidth}): ` +
      `${wide?.tagName}.${wide?.className}`;
  });
  if (sideways) texts.push(sideways);
  texts.push(...await lostFocus(page, pressed));
  return texts;
}
