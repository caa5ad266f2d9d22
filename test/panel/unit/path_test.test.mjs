import test from 'node:test';
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { load } from '../lib/source.mjs';

const { as_text, kinds_of, sentence_of, told, ways_of } = await load('lib/path_test.ts');
const { path } = await load('i18n/it_path.ts');
const { unpacked } = await load('i18n/packed.ts');

const step = (n, egress, name, verdict, more) => ({ n, egress, step: name, verdict, code: 'x', params: {}, sentence: `${name} ${verdict}`, ms: 10, ...more });
const steps = [step(0, '', 'mx', 'ok'), step(1, 'a', 'connect', 'ok'), step(2, 'a', 'rcpt', 'fail'), step(3, 'b', 'connect', 'warn')];

test('steps come one after the other; one twice is once, one missed is asked for', () => {
  const job = { id: '1', state: 'running', address: 'a@b', steps: [] };
  const one = told(job, { state: 'running', step: steps[0] });
  assert.equal(one.steps.length, 1);
  assert.equal(told(one, { step: steps[0] }).steps.length, 1);
  assert.equal(told(one, { step: steps[2] }), null);
  assert.equal(told(one, { state: 'done' }).state, 'done');
});

test('each address of ours is a way, and the worst step tells how it went', () => {
  const ways = ways_of(steps);
  assert.deepEqual(ways.map(({ egress, verdict, ms }) => [egress, verdict, ms]), [['', 'ok', 10], ['a', 'fail', 20], ['b', 'warn', 10]]);
  assert.deepEqual(kinds_of(ways), ['mx', 'connect', 'rcpt']);
});

test('as text it holds every step under its address', () => {
  const text = as_text({ address: 'a@b', started: null, steps }, {});
  assert.equal(text.split('\n').filter((line) => /^\[/.test(line)).length, 4);
  assert.match(text, /\na\n\[ok\]/);
});

test('own words by step and code, by code alone, else the service\'s', () => {
  const one = step(0, '', 'mx', 'fail', { code: 'found', params: { hosts: '{hosts}$&' } });
  assert.equal(sentence_of(one, { 'mx.found': 'Server: {hosts}.' }), 'Server: {hosts}$&.');
  assert.equal(sentence_of({ ...one, code: 'lost', params: { reason: 'EOF' } }, { lost: 'Perso: {reason}' }), 'Perso: EOF');
  assert.equal(sentence_of(one, {}), 'mx fail');
});

/* {step, code, [params]} of the service's table. */
const table = new URL('../../../relay/delivery/path_words.c', import.meta.url);
test('Italian has each sentence of the service, with the same holes', { skip: !existsSync(table) }, () => {
  const source = readFileSync(table, 'utf8');
  const rows = [...source.matchAll(/\{(?:"(\w+)"|NULL), "(\w+)", PATH_\w+, \{([^}]*)\},\s*"([^"]*)"(?:\s*"([^"]*)")?/g)];
  assert.ok(rows.length > 50, String(rows.length));
  const holes = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort().join();
  for (const [, name, code, , text, more = ''] of rows) {
    const key = name ? `${name}.${code}` : code;
    assert.ok(key in path, key);
    assert.equal(holes(path[key]), holes(text + more), key);
  }
  assert.equal(Object.keys(path).length, rows.length);
});

test('a packed catalogue is what it was', () => {
  assert.deepEqual(unpacked('do\ncopy=Copy\nx.one=a=b\n\nnav\nqueue=Queue'), { 'do.copy': 'Copy', 'do.x.one': 'a=b', 'nav.queue': 'Queue' });
});
