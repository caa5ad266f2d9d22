import test from 'node:test';
import assert from 'node:assert/strict';
import { rowsOf } from '../lib/looks.mjs';
import { DIALOGUES, PAGES } from '../lib/pages.mjs';

const LOOK = { theme: ['light', 'dark'], language: ['en', 'it'], width: [320, 1280] };

test('every page meets each theme, language and width, full and not', () => {
  for (const { name } of PAGES) {
    const rows = rowsOf(false).filter((row) => row.name === name);
    assert.ok(rows.some(({ state }) => state === 'full') && rows.some(({ state }) => state !== 'full'), name);
    for (const [what, values] of Object.entries(LOOK))
      for (const value of values) assert.ok(rows.some((row) => row[what] === value), `${name} ${what} ${value}`);
  }
});

test('every state meets each theme, language and width', () => {
  for (const state of ['full', 'empty', 'error'])
    for (const [what, values] of Object.entries(LOOK))
      for (const value of values)
        assert.ok(rowsOf(false).some((row) => row.state === state && row[what] === value), `${state} ${what} ${value}`);
});

test('everything is everything', () => {
  assert.equal(rowsOf(true).length, PAGES.length * 24 + DIALOGUES.length * 8);
});
