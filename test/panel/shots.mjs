// Pictures of pages, to be looked at:  node shots.mjs FOLDER [PAGE…]      (all states, both widths)
// Options by environment: STATES, THEMES, LANGUAGES, WIDTHS, each a list with commas; DIST: pages built before;
// FORCED=yes: the colours of who cannot do with ours (forced-colors).
import { mkdirSync } from 'node:fs';
import { launch, newPage } from './lib/browser.mjs';
import { startMocks } from './lib/mocks.mjs';
import { DIALOGUES, PAGES, settle } from './lib/pages.mjs';

const [folder, ...wanted] = process.argv.slice(2);
const list = (name, preset) => (process.env[name] ?? preset).split(',');
mkdirSync(folder, { recursive: true });
const mocks = await startMocks(process.env.DIST);
const browser = await launch();
for (const entry of [...PAGES, ...DIALOGUES].filter(({ name }) => !wanted.length || wanted.includes(name)))
  for (const state of list('STATES', 'full'))
    for (const theme of list('THEMES', 'light,dark'))
      for (const language of list('LANGUAGES', 'en'))
        for (const width of list('WIDTHS', '1280,390')) {
          const page = await newPage(browser, { language, theme, width: Number(width), mayFail: state === 'error', forced: Boolean(process.env.FORCED) });
          await page.goto((await mocks.url(entry.who, state)) + entry.path.slice(1));
          await settle(page);
          if (entry.act) await entry.act(page);
          await page.screenshot({ path: `${folder}/${entry.name}-${state}-${theme}-${language}-${width}.png`, fullPage: true });
          if (page.complaints.length) console.log(entry.name, state, page.complaints);
          await page.context().close();
        }
await browser.close();
mocks.stop();
