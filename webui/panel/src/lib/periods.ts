// Spans of time to look at, and the one before each.  Pure; seconds since 1970.
import type { Stats } from "../core/stats";
import { nearest } from "./scale";

export interface Span {
  from: number;
  to: number;
}

const SHORTEST = 1_800;

export function span_of({ times, step }: Stats): Span {
  const from = times[0] ?? 0;
  return { from, to: from + times.length * step };
}

/** As long as it, and ending where it begins. */
export const earlier = ({ from, to }: Span): Span => ({ from: from - (to - from), to: from });

/** by: in lengths of the span; never into the future. */
export function moved({ from, to }: Span, by: number, now: number): Span {
  const end = Math.min(now, to + by * (to - from));
  return { from: end - (to - from), to: end };
}

/** times: 0.5 shows half of it, 2 twice as much; what lies at the middle stays there. */
export function zoomed({ from, to }: Span, times: number, now: number): Span {
  const length = Math.max(SHORTEST, (to - from) * times), middle = (from + to) / 2;
  const end = Math.min(now, middle + length / 2);
  return { from: Math.floor(end - length), to: Math.ceil(end) };
}

/** A column of the period before, laid under the moments of this one; steps may differ. */
export function laid_under(stats: Stats, before: Stats, column: (number | null)[]): (number | null)[] {
  const length = span_of(stats).to - span_of(stats).from;
  return stats.times.map((time) => {
    const moment = time - length;
    let at = nearest(before.times, moment);
    if ((before.times[at] ?? 0) > moment) at--; // the step that it lies in
    return moment - (before.times[at] ?? -Infinity) < before.step ? column[at] ?? null : null;
  });
}
