// Graphs and the numbers under them, in Rome: where a day of March has 23 hours and one of October 25.
import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

process.env.TZ = 'Europe/Rome';
const { begin_of, bucket_of, gather } = await load('lib/buckets.ts');
const { band_path, level_ticks, line_path, nearest, time_ticks } = await load('lib/scale.ts');
const { csv } = await load('core/csv.ts');

const HOUR = 3_600, DAY = 86_400;
const at = (text) => Date.parse(text) / 1000;
const SPRING = at('2026-03-29T00:00:00+01:00'), AUTUMN = at('2026-10-25T00:00:00+02:00'), PLAIN = at('2026-06-10T00:00:00+02:00');
const steps = (from, step, n) => Array.from({ length: n }, (_, i) => from + i * step);

test('each range is told in its own buckets', () => {
  assert.deepEqual(['24h', 'week', 'month', 'year'].map(bucket_of), ['hour', 'day', 'day', 'month']);
});

for (const [name, midnight, hours] of [['spring', SPRING, 23], ['autumn', AUTUMN, 25], ['a plain day', PLAIN, 24]])
  test(`${name}: a day of ${hours} hours is one row, and every message is in it once`, () => {
    for (const step of [300, 1_800]) {
      const n = 3 * DAY / step, times = steps(midnight - DAY, step, n);
      const rows = gather(times, [times.map(() => 1)], [true], 'day');
      const day = rows.find(({ time }) => time === midnight);
      assert.equal(day.values[0], hours * HOUR / step, `${step} s`);
      assert.equal(rows.reduce((sum, { values }) => sum + values[0], 0), n);
    }
    const day = steps(midnight, 300, hours * 12);
    const rows = gather(day, [day.map(() => 1)], [true], 'hour');
    assert.equal(rows.length, hours);
    assert.deepEqual([...new Set(rows.map(({ values }) => values[0]))], [12]);
    assert.ok(rows.every(({ time }, i) => time === midnight + i * HOUR), 'the hour that comes twice is two rows');
  });

test('steps of two hours never put a message on the wrong side of midnight more than their own length', () => {
  const times = steps(SPRING - 7 * DAY, 7_200, 372);
  for (const { time } of gather(times, [times.map(() => 1)], [true], 'day')) {
    const begun = new Date(time * 1000);
    assert.equal(begun.getHours() + begun.getMinutes(), 0);
  }
});

test('months by the local calendar', () => {
  assert.equal(begin_of(at('2026-03-01T00:30:00+01:00'), 'month'), at('2026-03-01T00:00:00+01:00'));
  assert.equal(begin_of(at('2026-03-31T23:30:00+02:00'), 'month'), at('2026-03-01T00:00:00+01:00'));
  const days = steps(at('2026-01-01T12:00:00Z'), DAY, 365);
  assert.deepEqual(gather(days, [days.map(() => 1)], [true], 'month').map(({ values }) => values[0]),
    [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
});

test('what is unknown stays unknown: a gap is neither 0 nor part of a mean', () => {
  const times = steps(PLAIN, 300, 24);
  const first = times.map((_, i) => (i < 12 ? null : 2)), half = times.map((_, i) => (i % 2 ? 10 : null));
  const rows = gather(times, [first, half, first], [true, false, false], 'hour');
  assert.deepEqual(rows.map(({ values }) => values), [[null, 10, null], [24, 10, 2]]);
});

test('moments on the axis are round by the local clock, over both changes', () => {
  for (const midnight of [SPRING, AUTUMN, PLAIN]) {
    const day = time_ticks(midnight - 12 * HOUR, midnight + 36 * HOUR, 8);
    assert.ok(day.length >= 3 && day.length <= 9 && day.every((tick) => new Date(tick * 1000).getMinutes() === 0), day.join());
    for (const span of [7, 31, 60]) {
      const ticks = time_ticks(midnight - span * DAY / 2, midnight + span * DAY / 2, 8);
      assert.ok(ticks.length >= 3 && ticks.length <= 9, `${span} days: ${ticks.length}`);
      assert.ok(ticks.every((tick) => new Date(tick * 1000).getHours() === 0), `${span} days: midnights`);
    }
  }
  const year = time_ticks(at('2026-01-15T00:00:00Z'), at('2027-01-15T00:00:00Z'), 12);
  assert.ok(year.length >= 6 && year.every((tick) => new Date(tick * 1000).getDate() === 1), 'firsts of a month');
});

test('levels begin at 0, are round, and reach above the highest value', () => {
  for (const most of [0, 0.3, 1, 7, 99, 101, 12_345, 9.99e9]) {
    const levels = level_ticks(most, 5);
    assert.equal(levels[0], 0);
    assert.ok(levels.at(-1) >= most && levels.length >= 2 && levels.length <= 12, `${most}: ${levels}`);
    const step = levels[1] / 10 ** Math.floor(Math.log10(levels[1]));
    assert.ok([1, 2, 5].some((round) => Math.abs(step - round) < 1e-9), `${most}: ${levels}`);
  }
});

test('the nearest moment', () => {
  const times = [100, 200, 400];
  assert.deepEqual([0, 149, 151, 299, 301, 9_999].map((moment) => nearest(times, moment)), [0, 0, 1, 1, 2, 2]);
  assert.equal(nearest([7], 0), 0);
});

test('lines and bands break where nothing is known', () => {
  const same = (value) => value;
  assert.equal(line_path([0, 1, 2, 3], [5, null, 6, 7], same, same), 'M0.0 5.0M2.0 6.0L3.0 7.0');
  assert.equal(line_path([0, 1], [null, null], same, same), '');
  const band = band_path([0, 1, 2, 3], [1, null, 1, 1], [2, null, 2, 2], same, same);
  assert.equal(band.split('M').length - 1, 2);
  assert.equal(band.split('Z').length - 1, 2);
});

test('figures leave as a table that a spreadsheet only reads', () => {
  assert.equal(csv([['Time', 'Delivered'], ['2026-03-29T01:00:00.000Z', null]]), 'Time,Delivered\r\n2026-03-29T01:00:00.000Z,\r\n');
});
