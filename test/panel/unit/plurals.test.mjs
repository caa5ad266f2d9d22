// Numbers of things, as each language counts them.
import test from 'node:test';
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { load, SOURCES } from '../lib/source.mjs';

const { language, speak, t, tn, word } = await load('core/i18n.ts');
globalThis.document.documentElement.lang = '';

test('one, none and many in English', async () => {
  await speak('en');
  assert.equal(tn('bulk.count', 1), '1 recipient');
  assert.equal(tn('bulk.count', 0), '0 recipients');
  assert.equal(tn('bulk.count', 12_431), '12,431 recipients');
});

test('one, none and many in Italian', async () => {
  await speak('it');
  assert.equal(language.value, 'it');
  assert.equal(tn('bulk.count', 1), '1 destinatario');
  assert.equal(tn('bulk.count', 0), '0 destinatari');
  assert.equal(tn('bulk.count', 2_300), '2.300 destinatari');
  // Whole millions are "many" in Italian's own rules; the words are those of "other".
  assert.equal(tn('bulk.count', 1_000_000), '1.000.000 destinatari');
  assert.equal(document.documentElement.lang, 'it');
});

test('what is filled in is text, once, whatever it holds', async () => {
  await speak('en');
  assert.equal(t('users.deleted', { name: '{name} <b>' }).includes('{name} <b>'), true);
  assert.equal(word('state', 'never heard of', 'as it came'), 'as it came');
});

test('a language that nobody wrote is English', async () => {
  await speak('xx');
  assert.equal(language.value, 'en');
  await speak('it');
  await speak('en');
  assert.equal(t('do.cancel'), 'Cancel');
});

test('every word asked for by name is in the catalogue, and none is there for nothing', async () => {
  const { english } = await load('i18n/en.ts');
  const text = readdirSync(SOURCES, { recursive: true }).filter((name) => /\.tsx?$/.test(name) && !name.startsWith('i18n'))
    .map((name) => readFileSync(path.join(SOURCES, name), 'utf8')).join('\n');
  const unused = Object.keys(english).filter((key) => {
    const stem = key.replace(/\.(one|other)$/, ''), group = stem.slice(0, stem.lastIndexOf('.'));
    return !text.includes(`"${stem}"`) && !text.includes(`"${group}"`) && !text.includes(`\`${group}.`) &&
      !text.includes(`\`${stem.replace(/_[a-z]+$/, '')}`) && !new RegExp(`\`${group}\\.\\$\\{`).test(text) &&
      !new RegExp(`word\\("${group}(\\.|")|word\\(\`${group.replace(/\.[^.]+$/, '')}`).test(text);
  });
  assert.deepEqual(unused, []);
});
