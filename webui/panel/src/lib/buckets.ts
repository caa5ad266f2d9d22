// The numbers under a graph: steps gathered into hours, days or months of the reader's clock.  Pure.

export type Bucket = "hour" | "day" | "month";

export function bucket_of(range: string): Bucket {
  return range === "24h" ? "hour" : range === "year" ? "month" : "day";
}

/** Where the bucket of this second begins, in seconds; by the local clock, so that a day in spring has 23 hours. */
export function begin_of(seconds: number, bucket: Bucket): number {
  const date = new Date(seconds * 1000);
  if (bucket === "month") return new Date(date.getFullYear(), date.getMonth(), 1).getTime() / 1000;
  if (bucket === "day") return new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime() / 1000;
  return seconds - (date.getMinutes() * 60 + date.getSeconds());
}

/** Where the next one begins. */
export function end_of(begin: number, bucket: Bucket): number {
  if (bucket === "hour") return begin + 3_600;
  const date = new Date(begin * 1000);
  if (bucket === "month") return new Date(date.getFullYear(), date.getMonth() + 1, 1).getTime() / 1000;
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() + 1).getTime() / 1000;
}

export interface Row {
  time: number;
  values: (number | null)[];
}

/** sums: whether each column is a count, which adds up, or a level, whose mean is meant. */
export function gather(times: number[], columns: (number | null)[][], sums: boolean[], bucket: Bucket): Row[] {
  const rows: (Row & { counts: number[] })[] = [];
  times.forEach((time, i) => {
    const begin = begin_of(time, bucket);
    let row = rows.at(-1);
    if (row?.time !== begin) rows.push((row = { time: begin, values: columns.map(() => null), counts: columns.map(() => 0) }));
    columns.forEach((column, k) => {
      const value = column[i];
      if (value === null || value === undefined) return;
      row!.values[k] = (row!.values[k] ?? 0) + value;
      row!.counts[k]!++;
    });
  });
  return rows.map(({ time, values, counts }) => ({
    time, values: values.map((value, k) => (value === null || sums[k] ? value : value / counts[k]!)),
  }));
}
