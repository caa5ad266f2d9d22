import test from 'node:test';
import assert from 'node:assert/strict';
import { everyCombination, pairwise } from '../lib/pairwise.mjs';

const dimensions = { page: ['a', 'b', 'c', 'd', 'e'], theme: [1, 2], width: [320, 1280], state: [0, 1, 2] };

test('every pair of values occurs, in few rows', () => {
  const rows = pairwise(dimensions), names = Object.keys(dimensions);
  for (const one of names)
    for (const other of names.filter((name) => name !== one))
      for (const a of dimensions[one])
        for (const b of dimensions[other])
          assert(rows.some((row) => row[one] === a && row[other] === b), `${one}=${a} ${other}=${b}`);
  assert(rows.length <= 18, `${rows.length} rows`);
  assert.equal(everyCombination(dimensions).length, 60);
});
