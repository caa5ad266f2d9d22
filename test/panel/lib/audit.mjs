// axe-core, reflow and complaints of the browser, on many pages in many looks.
import { findings, lostFocus, newPage } from './browser.mjs';
import { startMocks } from './mocks.mjs';
import { DIALOGUES, PAGES, settle } from './pages.mjs';
import { rowsOf } from './looks.mjs';

const by_name = Object.fromEntries([...PAGES, ...DIALOGUES].map((entry) => [entry.name, entry]));

/* A page that is used again: the browser then has the scripts compiled. */
async function auditRow(page, mocks, row) {
  const { path, who, act } = by_name[row.name];
  page.complaints.length = 0;
  try {
    await page.goto((await mocks.url(who, row.state)) + path.slice(1));
    await settle(page);
    if (!act) return [...await findings(page), ...page.complaints];
    const lost = await lostFocus(page); // what is pressed takes it away
    await act(page);
    return [...lost, ...await findings(page, true), ...page.complaints];
  } catch (error) {
    return [String(error.message), ...page.complaints];
  }
}

/* Rows that share a look share a page; in the error state the browser may tell of failed answers. */
function groupsOf(rows) {
  const groups = new Map();
  for (const row of rows) {
    const look = [row.theme, row.language, row.width, row.state === 'error'].join();
    groups.set(look, [...groups.get(look) ?? [], row]);
  }
  return [...groups.values()];
}

/* {audited, findings: [text]}; two pages at a time. */
export async function audit(browser, { everything = false, only, dist } = {}) {
  const mocks = await startMocks(dist);
  const rows = rowsOf(everything).filter(({ name }) => !only || only.includes(name));
  const groups = groupsOf(rows), all = [];
  async function work() {
    for (let group = groups.shift(); group; group = groups.shift()) {
      const page = await newPage(browser, { ...group[0], mayFail: group[0].state === 'error' });
      for (const row of group)
        for (const text of await auditRow(page, mocks, row)) all.push(`${Object.values(row).join(' ')}: ${text}`);
      await page.context().close();
    }
  }
  await Promise.all([work(), work()]);
  await mocks.stop();
  return { audited: rows.length, findings: all };
}
