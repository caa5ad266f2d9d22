import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { bind_line, FORMS, in_form, quoted, relative_name, split_text } = await load('lib/dns.ts');
const record = { name: 's1._domainkey.shop.example', value: 'v=DKIM1; k=rsa; p=' + 'A'.repeat(392) };

test('a value is split at 255 octets and loses nothing', () => {
  assert.deepEqual(split_text('abc'), ['abc']);
  assert.deepEqual(split_text(''), ['']);
  assert.equal(split_text('A'.repeat(255)).length, 1);
  const pieces = split_text(record.value);
  assert.deepEqual(pieces.map((piece) => piece.length), [255, record.value.length - 255]);
  assert.equal(pieces.join(''), record.value);
});

test('octets are counted, not characters', () => {
  const pieces = split_text('é'.repeat(200));
  assert.deepEqual(pieces.map((piece) => Buffer.byteLength(piece)), [254, 146]);
});

test('quotes and backslashes are escaped', () => {
  assert.equal(quoted('a"b\\c'), '"a\\"b\\\\c"');
  assert.match(quoted(record.value), /^"[^"]{255}" "[^"]+"$/);
});

test('names beside their zone', () => {
  assert.equal(relative_name('s1._domainkey.shop.example', 'shop.example'), 's1._domainkey');
  assert.equal(relative_name('shop.example', 'shop.example'), '@');
  assert.equal(relative_name('other.example', 'shop.example'), 'other.example');
  assert.equal(relative_name('myshop.example', 'shop.example'), 'myshop.example');
});

test('each form keeps the whole value', () => {
  for (const form of FORMS) {
    const said = in_form(form, record, 'shop.example');
    assert.equal(said.value.replace(/^[^(]*\( | \)$/g, '').replace(/" "|"/g, ''), record.value, form);
  }
  assert.equal(in_form('cpanel', record, 'shop.example').name, record.name + '.');
  assert.equal(in_form('aruba', record, 'shop.example').name, 's1._domainkey');
  assert.equal(in_form('bind', record, 'shop.example').name, '');
  assert.ok(bind_line(record).startsWith('s1._domainkey.shop.example. 3600 IN TXT ( "v=DKIM1'));
});
