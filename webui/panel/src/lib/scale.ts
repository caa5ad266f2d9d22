// Where the lines of a grid stand.  Pure.

/** From 0 to at least most, in steps of 1, 2 or 5 times a power of ten; about as many as wished. */
export function level_ticks(most: number, wished: number): number[] {
  const top = most > 0 ? most : 1;
  const raw = top / wished;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((times) => times * power >= raw * 0.999) ?? 10) * power;
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}

const HOUR = 3_600, DAY = 86_400;
const steps = [300, 900, 1_800, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY];

/** Moments of the local clock between two seconds, at most so many: round hours, midnights, firsts of a month. */
export function time_ticks(from: number, to: number, most: number): number[] {
  const step = steps.find((length) => (to - from) / length <= most);
  const found: number[] = [];
  const first = new Date(from * 1000);
  const midnight = new Date(first.getFullYear(), first.getMonth(), step && step < DAY * 2 ? first.getDate() : 1);
  const months = Math.max(1, Math.ceil((to - from) / (30 * DAY) / most));
  for (let i = 0; i < 2_000; i++) {
    const at = new Date(midnight);
    if (!step) at.setMonth(at.getMonth() + i * months);
    else if (step >= DAY) at.setDate(at.getDate() + i * (step / DAY));
    else at.setTime(at.getTime() + i * step * 1000);
    const seconds = at.getTime() / 1000;
    if (seconds > to) break;
    if (seconds >= from) found.push(seconds);
  }
  return found;
}

/** The index of the time nearest to a moment; times ascend. */
export function nearest(times: number[], moment: number): number {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? 0) < moment) low = middle + 1;
    else high = middle;
  }
  return low > 0 && moment - (times[low - 1] ?? 0) < (times[low] ?? 0) - moment ? low - 1 : low;
}

type Place = (value: number) => number;

/** A line through what is known; what is not leaves a gap. */
export function line_path(times: number[], values: (number | null)[], x: Place, y: Place): string {
  let is_open = false;
  return values.map((value, i) => {
    if (value === null || value === undefined) { is_open = false; return ""; }
    const point = `${is_open ? "L" : "M"}${x(times[i] ?? 0).toFixed(1)} ${y(value).toFixed(1)}`;
    is_open = true;
    return point;
  }).join("");
}

/** The area between two lines, one piece for each stretch where both are known. */
export function band_path(times: number[], low: (number | null)[], high: (number | null)[], x: Place, y: Place): string {
  let path = "", there = "", back = "";
  const flush = () => {
    if (there) path += `M${there.slice(1)}${back}Z`;
    there = back = "";
  };
  times.forEach((time, i) => {
    const bottom = low[i] ?? null, top = high[i] ?? null;
    if (bottom === null || top === null) return flush();
    there += `L${x(time).toFixed(1)} ${y(top).toFixed(1)}`;
    back = `L${x(time).toFixed(1)} ${y(bottom).toFixed(1)}${back}`;
  });
  flush();
  return path;
}
