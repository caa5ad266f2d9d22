import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

process.env.TZ = 'Europe/Rome';
const both = await load('core/format.ts');

test('unknown is never 0', () => {
  for (const unknown of [null, undefined]) {
    for (const name of ['number', 'short', 'percent', 'bytes', 'duration', 'ago', 'when'])
      assert.equal(both[name](unknown), '—', name);
  }
  assert.equal(both.number(0), '0');
  assert.equal(both.percent(NaN), '—');
  assert.equal(both.when('no time'), '—');
});

test('numbers are grouped, big ones shortened', () => {
  assert.equal(both.number(1234567), '1,234,567');
  assert.equal(both.short(9999), '9,999');
  assert.match(both.short(1_234_567), /^1\.2\s?M$/i);
  assert.equal(both.percent(0.1234), '12.3%');
});

test('sizes by 1,024', () => {
  assert.match(both.bytes(0), /^0 bytes?$/);
  assert.match(both.bytes(1023), /^1,023 bytes?$/);
  assert.match(both.bytes(1536), /^1\.5 kB$/i);
  assert.match(both.bytes(3 * 1024 ** 3), /^3 GB$/);
});

test('durations name their two biggest parts', () => {
  assert.match(both.duration(0), /^0 ?s/);
  assert.match(both.duration(59.9), /^59 ?s/);
  assert.match(both.duration(3600), /^1 ?h/);
  assert.match(both.duration(2 * 86400 + 3 * 3600 + 59), /^2 days 3 ?h/);
  assert.match(both.duration(0.25), /250 ?ms/);
});

test('times are told in the zone of the reader, over the change of the clocks too', () => {
  assert.equal(both.when('2026-03-29T00:30:00Z', 'time'), '01:30');
  assert.equal(both.when('2026-03-29T01:30:00Z', 'time'), '03:30');
  assert.equal(both.when('2026-10-25T00:30:00Z', 'time'), '02:30');
  assert.equal(both.when('2026-10-25T01:30:00Z', 'time'), '02:30');
});
