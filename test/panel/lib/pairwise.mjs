// Few rows that together hold every pair of values of any two dimensions.

function* pairsOf(row, names) {
  for (let i = 0; i < names.length; i++)
    for (let k = i + 1; k < names.length; k++)
      yield `${names[i]}=${row[names[i]]} ${names[k]}=${row[names[k]]}`;
}

export function everyCombination(dimensions) {
  return Object.entries(dimensions).reduce((rows, [name, values]) =>
    rows.flatMap((row) => values.map((value) => ({ ...row, [name]: value }))), [{}]);
}

/* Greedy: takes the combination with the most pairs not yet seen.  The same rows at every run. */
export function pairwise(dimensions) {
  const names = Object.keys(dimensions);
  const all = everyCombination(dimensions);
  const open = new Set(all.flatMap((row) => [...pairsOf(row, names)]));
  const rows = [];
  while (open.size) {
    let best, bestGain = 0;
    for (const row of all) {
      let gain = 0;
      for (const pair of pairsOf(row, names)) gain += open.has(pair);
      if (gain > bestGain) [best, bestGain] = [row, gain];
    }
    rows.push(best);
    for (const pair of pairsOf(best, names)) open.delete(pair);
  }
  return rows;
}
