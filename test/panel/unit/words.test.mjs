import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { parse_words, print_words, with_word } = await load('core/words.ts');
const { in_sight } = await load('core/virtual.ts');
const { csv, csv_cell } = await load('core/csv.ts');
const known = ['to', 'from', 'user', 'dest', 'state', 'reply'];

test('words, quotes, plain text and what is unknown', () => {
  assert.deepEqual(parse_words('user:shop dest:gmail.com reply:"mailbox full" hello', known), [
    { name: 'user', value: 'shop' }, { name: 'dest', value: 'gmail.com' }, { name: 'reply', value: 'mailbox full' },
    { name: '', value: 'hello' }]);
  assert.deepEqual(parse_words('DEST:x colour:red', known),
    [{ name: 'dest', value: 'x' }, { name: 'colour', value: 'red', unknown: true }]);
  assert.deepEqual(parse_words('', known), []);
  assert.deepEqual(parse_words('reply:"not closed', known), [{ name: 'reply', value: 'not closed' }]);
});

test('printed words read back as they were', () => {
  for (const text of ['user:shop', 'reply:"a b"', '"a: b" to:x@y.example', 'from:"" x'])
    assert.deepEqual(parse_words(print_words(parse_words(text, known)), known), parse_words(text, known), text);
});

test('what people paste: colons in values, Windows quotes, nothing after the colon', () => {
  assert.deepEqual(parse_words('msgid:<a:b@c.example>', [...known, 'msgid']), [{ name: 'msgid', value: '<a:b@c.example>' }]);
  assert.deepEqual(parse_words('to:', known), [{ name: 'to', value: '' }]);
  assert.deepEqual(parse_words('2001:db8::1', known), [{ name: '', value: '2001:db8::1' }]);
  assert.deepEqual(parse_words('user:a user:b', known).map(({ value }) => value), ['a', 'b']);
  assert.deepEqual(parse_words('  user:a\t\n to:b ', known).map(({ name }) => name), ['user', 'to']);
  assert.deepEqual(parse_words('perché ünï:x', known).map(({ value }) => value)[0], 'perché');
  assert.equal(parse_words('a '.repeat(500), known).length, 500);
});

test('a search survives the chips: printed, parsed and printed again it is the same', () => {
  for (const text of ['user:shop', 'reply:"a b" x', '"a: b"', 'to:"x y" from:z "free text"']) {
    const once = print_words(parse_words(text, known));
    assert.equal(print_words(parse_words(once, known)), once, text);
  }
});

test('a word is set once', () => {
  assert.equal(with_word('state:held user:a', known, 'state', 'deferred'), 'user:a state:deferred');
  assert.equal(with_word('state:held user:a', known, 'state', ''), 'user:a');
});

test('rows in sight, and some beyond each edge', () => {
  assert.deepEqual(in_sight(0, 36, 100, 900), { first: 0, end: 0 });
  assert.deepEqual(in_sight(10000, 36, 0, 900), { first: 0, end: 35 });
  assert.deepEqual(in_sight(10000, 36, -36 * 5000, 900), { first: 4990, end: 5035 });
  assert.deepEqual(in_sight(100, 36, -1e9, 900), { first: 100, end: 100 });
});

test('a spreadsheet never runs what came by mail', () => {
  for (const evil of ['=cmd()', '+1', '-1', '@x', '\t=1', '\r=1']) assert.match(csv_cell(evil), /^"?'/);
  assert.equal(csv_cell(-1), '-1');
  assert.equal(csv([['a"b', 'c,d', null]]), '"a""b","c,d",\r\n');
});
