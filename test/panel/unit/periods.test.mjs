import test from 'node:test';
import assert from 'node:assert/strict';
import { load } from '../lib/source.mjs';

const { earlier, laid_under, moved, span_of, zoomed } = await load('lib/periods.ts');
const { end_of } = await load('lib/buckets.ts');
const { with_view, views_of } = await load('lib/views.ts');
const { rows_of } = await load('lib/queue_csv.ts');
const NOW = 1_800_000_000;

test('the period before is as long and ends where this one begins', () => {
  const span = span_of({ times: [1000, 1300, 1600], step: 300 });
  assert.deepEqual(span, { from: 1000, to: 1900 });
  assert.deepEqual(earlier(span), { from: 100, to: 1000 });
});

test('moving and zooming keep the middle, and never show what has not been', () => {
  assert.deepEqual(moved({ from: NOW - 7200, to: NOW - 3600 }, 0.5, NOW), { from: NOW - 5400, to: NOW - 1800 });
  assert.deepEqual(moved({ from: NOW - 7200, to: NOW - 3600 }, 3, NOW), { from: NOW - 3600, to: NOW });
  assert.deepEqual(zoomed({ from: NOW - 14400, to: NOW - 7200 }, 0.5, NOW), { from: NOW - 12600, to: NOW - 9000 });
  assert.deepEqual(zoomed({ from: NOW - 3600, to: NOW }, 2, NOW), { from: NOW - 7200, to: NOW });
  const shortest = zoomed({ from: NOW - 1800, to: NOW }, 0.5, NOW);
  assert.equal(shortest.to - shortest.from, 1800);
});

test('what was before lies under the same hour, in other steps too, and gaps stay gaps', () => {
  const stats = { times: [1000, 1100, 1200, 1300], step: 100 };
  assert.deepEqual(laid_under(stats, { times: [600, 700, 800, 900], step: 100 }, [1, null, 3, 4]), [1, null, 3, 4]);
  assert.deepEqual(laid_under(stats, { times: [600, 800], step: 200 }, [1, 2]), [1, 1, 2, 2]);
  assert.deepEqual(laid_under(stats, { times: [900], step: 100 }, [9]), [null, null, null, 9]);
});

test('a day in spring ends 23 hours after it began', () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Rome';
  const begin = new Date(2026, 2, 29).getTime() / 1000;
  assert.equal(end_of(begin, 'day') - begin, 23 * 3600);
  assert.equal(end_of(begin, 'hour') - begin, 3600);
  assert.equal(new Date(end_of(new Date(2026, 0, 1).getTime() / 1000, 'month') * 1000).getMonth(), 1);
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

test('a view of the same name gives way, and others are not lost to what stands in the store', () => {
  assert.deepEqual(with_view([{ name: 'a', filter: 'x' }, { name: 'b', filter: 'y' }], { name: 'a', filter: 'z' }),
    [{ name: 'b', filter: 'y' }, { name: 'a', filter: 'z' }]);
  assert.equal(with_view(Array.from({ length: 20 }, (_, i) => ({ name: `${i}`, filter: '' })), { name: 'x', filter: '' }).length, 20);
  localStorage.setItem('views queue ', '{"no": "list"}');
  assert.deepEqual(views_of('queue'), []);
  localStorage.setItem('views queue ', '[{"name":"a","filter":"b"},{"name":1},null]');
  assert.deepEqual(views_of('queue'), [{ name: 'a', filter: 'b' }]);
});

test('the queue as a table has a row for each recipient', () => {
  const message = { id: 'A', user: 'shop', sender: 's@x', size: 5, arrived: 't', expires: 'e', class: 'bulk', campaign: '', n_recipients: 2,
    recipients: [{ address: 'a@y', state: 'held', attempts: 1, next: null, reply: '=1' }, { address: 'b@y', state: 'queued', attempts: 0, next: null, reply: '' }] };
  assert.deepEqual(rows_of(message).map((row) => row[4]), ['a@y', 'b@y']);
  assert.equal(rows_of(message)[0].length, 13);
});
