// One browser that does what test_*.py ask: a JSON object a line in, one a line out.
//   {"do": "audit", "url": …, "rows": […]}          axe-core on pages, see audit.mjs
//   {"do": "journey", "name": …, "url": …, "language": …, "input": {…}}
//   …, "keep": NAME} leaves the page as it is; {…, "on": NAME} goes on there: between the two the test
//   does to the service what the page must bear.
import { createInterface } from 'node:readline';
import { closePage, findings, launch, newPage } from './lib/browser.mjs';
import { audit } from './lib/audit.mjs';
import { journeys } from './journeys/index.mjs';

const browser = await launch();

const kept = new Map();

async function travel({ name, url, language = 'en', input = {}, on, keep, width }) {
  if (on && !kept.has(on)) throw new Error(`no page was kept as ${on}`);
  const page = on ? kept.get(on) : await newPage(browser, { language, width });
  kept.delete(on);
  try {
    const result = await journeys[name](page, url, { language, ...input });
    if (keep) kept.set(keep, page);
    else await closePage(page);
    return result ?? {};
  } catch (error) {
    if (process.env.PANEL_PICTURES)
      await page.screenshot({ path: `${process.env.PANEL_PICTURES}/failed-${name}-${language}.png` }).catch(() => {});
    const text = await page.locator('body').innerText({ timeout: 1000 }).catch(() => '');
    await page.context().close().catch(() => {});
    throw new Error(`${error.stack}\n${page.complaints.join('\n')}\n---- ${page.url()}\n${text.slice(0, 3000)}`);
  }
}

async function findingsAt({ url }) {
  const page = await newPage(browser, { width: 320 });
  await page.goto(url);
  return findings(page).finally(() => page.context().close());
}

const verbs = { findings: findingsAt, journey: travel, audit: (order) => audit(browser, order) };

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    answer = { ok: true, result: await verbs[order.do](order) };
  } catch (error) {
    answer = { ok: false, why: String(error.stack ?? error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}
await browser.close();
