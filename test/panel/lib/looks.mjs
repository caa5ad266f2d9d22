// Which page is audited in which state and look.
import { DIALOGUES, PAGES } from './pages.mjs';

const THEMES = ['light', 'dark'], LANGUAGES = ['en', 'it'], WIDTHS = [320, 1280], STATES = ['full', 'empty', 'error'];

/* Each page in everything. */
function whole(entries, states) {
  return entries.flatMap(({ name }) => states.flatMap((state) => THEMES.flatMap((theme) =>
    LANGUAGES.flatMap((language) => WIDTHS.map((width) => ({ name, state, theme, language, width }))))));
}

/* Each page twice: full, and empty or failing in the opposite look.  So every page meets both themes, both
 * languages and both widths, and every state meets every look. */
function half(entries) {
  return entries.flatMap(({ name }, i) => [0, 1].map((turn) => {
    const at = (shift) => (i >> shift & 1) ^ turn;
    return {
      name, state: turn ? STATES[1 + (i >> 3 & 1 ^ i & 1)] : 'full',
      theme: THEMES[at(0)], language: LANGUAGES[at(1)], width: WIDTHS[at(2)],
    };
  }));
}

export function rowsOf(everything) {
  return everything ? [...whole(PAGES, STATES), ...whole(DIALOGUES, ['full'])]
    : [...half(PAGES), ...half(DIALOGUES).filter(({ state }) => state === 'full')];
}
