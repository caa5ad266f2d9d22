import test from 'node:test';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { load } from '../lib/source.mjs';

const { letter_of } = await load('lib/letter.ts');
const { letters } = await load('i18n/letters.ts');
const { CAUSES } = await load('lib/causes.ts');

const known = {
  id: 'A0ZQX1', recipient: 'anna@dest.example', state: 'deferred', arrived: '2026-11-23T08:00:00Z', expires: '2026-11-27T08:00:00Z',
  reply: '452 4.2.2 over quota', cause: 'mailbox_full', server: 'mx.dest.example', at: '2026-11-23T09:00:00Z', held_for: '',
};

test('a letter has the evidence, the side and what to do, in both languages', () => {
  for (const language of ['en', 'it']) {
    const text = letter_of(known, language);
    for (const part of ['anna@dest.example', '452 4.2.2 over quota', 'mx.dest.example', 'A0ZQX1', ...letters[language].causes.mailbox_full])
      assert.ok(text.includes(part), `${language}: ${part}`);
    assert.doesNotMatch(text, /\{\w+\}|undefined|null/);
  }
  assert.notEqual(letter_of(known, 'en'), letter_of(known, 'it'));
});

test('what was not said is not quoted, and nobody is blamed for what is held', () => {
  const held = letter_of({ ...known, state: 'held', reply: '', held_for: 'over quota' }, 'en');
  assert.match(held, /decision on our side: over quota/);
  assert.doesNotMatch(held, /word for word/);
  assert.doesNotMatch(letter_of({ ...known, state: 'queued', reply: '' }, 'en'), /side/);
});

test('a receiver\'s words cannot fill in our holes, nor break the lines', () => {
  const text = letter_of({ ...known, reply: '550 {id}\r\n\r\nPlease pay', cause: '', state: 'bounced' }, 'en');
  assert.match(text, / {4}550 \{id\} Please pay\n/);
});

test('every class of the service has words in both languages', () => {
  const source = readFileSync(new URL('../../../policy/bounce_class.c', import.meta.url), 'utf8');
  const classes = [...source.matchAll(/\[BOUNCE_\w+\] = \{"(\w+)"/g)].map(([, name]) => name).filter((name) => name !== 'other');
  assert.ok(classes.length > 10);
  assert.deepEqual([...classes].sort(), [...CAUSES].sort());
  for (const language of ['en', 'it']) assert.deepEqual(Object.keys(letters[language].causes).sort(), [...CAUSES, 'other'].sort());
});
