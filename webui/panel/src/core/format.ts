// Numbers, sizes and times as the person's language writes them.  Unknown is "—", never 0.
import { language } from "./i18n";
import { signal } from "@preact/signals";

export const UNKNOWN = "—";
type Maybe<T> = T | null | undefined;

/** Ticks twice a minute, so that "2 minutes ago" does not stay true for ever. */
export const now = signal(Date.now());
setInterval(() => { if (!document.hidden) now.value = Date.now(); }, 30_000);

const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();

function made<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(
  name: string, make: (tongue: string) => T,
): T {
  const key = `${language.value} ${name}`;
  let format = cache.get(key);
  if (!format) cache.set(key, (format = make(language.value === "en" ? "en-GB" : language.value)));
  return format as T;
}

const number_format = (name: string, options: Intl.NumberFormatOptions) =>
  made(name, (tongue) => new Intl.NumberFormat(tongue, { useGrouping: "always", ...options } as Intl.NumberFormatOptions));

export function number(n: Maybe<number>, digits = 0): string {
  if (n === null || n === undefined || Number.isNaN(n)) return UNKNOWN;
  return number_format(`n${digits}`, { maximumFractionDigits: digits }).format(n);
}

/** 184,231 but 1.2 M: for tiles and axes. */
export function short(n: Maybe<number>): string {
  if (n === null || n === undefined) return UNKNOWN;
  if (Math.abs(n) < 1_000_000) return number(n, Math.abs(n) < 10 && n % 1 ? 1 : 0);
  return number_format("short", { notation: "compact", maximumFractionDigits: 1 }).format(n);
}

export function percent(share: Maybe<number>, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return UNKNOWN;
  return number_format(`p${digits}`, { style: "percent", maximumFractionDigits: digits }).format(share);
}

const sizes = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];

export function bytes(n: Maybe<number>): string {
  if (n === null || n === undefined) return UNKNOWN;
  const power = Math.min(sizes.length - 1, n >= 1 ? Math.floor(Math.log2(n) / 10) : 0);
  const value = n / 1024 ** power;
  return number_format(`b${power}`, {
    style: "unit", unit: sizes[power]!, unitDisplay: power ? "short" : "long", maximumFractionDigits: value < 10 && power ? 1 : 0,
  }).format(value);
}

const spans: [string, number][] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];

/** "2 h 5 min": the two biggest parts. */
export function duration(seconds: Maybe<number>): string {
  if (seconds === null || seconds === undefined) return UNKNOWN;
  if (seconds < 1 && seconds > 0)
    return number_format("ms", { style: "unit", unit: "millisecond", maximumFractionDigits: 0 }).format(seconds * 1000);
  const first = spans.findIndex(([, length]) => seconds >= length);
  const parts: string[] = [];
  let rest = Math.floor(seconds);
  for (const [unit, length] of spans.slice(first < 0 ? 3 : first, (first < 0 ? 3 : first) + 2)) {
    const n = Math.floor(rest / length);
    rest -= n * length;
    if (n || (!parts.length && unit === "second"))
      parts.push(number_format(unit, { style: "unit", unit, unitDisplay: unit === "day" ? "long" : "narrow" }).format(n));
  }
  return parts.join(" ");
}

const ms_of = (time: string | number): number => (typeof time === "number" ? time * 1000 : Date.parse(time));

/** "3 minutes ago", "in 2 hours"; time is RFC 3339 or seconds since 1970. */
export function ago(time: Maybe<string | number>): string {
  if (time === null || time === undefined || time === "") return UNKNOWN;
  const seconds = Math.round((ms_of(time) - Math.max(now.value, Date.now() - 30_000)) / 1000);
  const [unit, length] = spans.find(([, span]) => Math.abs(seconds) >= span) ?? ["second", 1];
  const format = made("ago", (tongue) => new Intl.RelativeTimeFormat(tongue, { numeric: "auto" }));
  return format.format(Math.trunc(seconds / length), unit as Intl.RelativeTimeFormatUnit);
}

const looks: Record<string, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit" },
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit" },
  day: { day: "numeric", month: "short" },
  date: { day: "numeric", month: "short", year: "numeric" },
  month: { month: "short", year: "numeric" },
  short: { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  full: { dateStyle: "medium", timeStyle: "medium" },
};

export function when(time: Maybe<string | number>, look: keyof typeof looks = "short"): string {
  if (time === null || time === undefined || time === "") return UNKNOWN;
  const ms = ms_of(time);
  if (Number.isNaN(ms)) return UNKNOWN;
  return made(`t${look}`, (tongue) => new Intl.DateTimeFormat(tongue, { hourCycle: "h23", ...looks[look] })).format(ms);
}

/** "one, two and three" */
export function list(words: string[]): string {
  return new Intl.ListFormat(language.value, { type: "conjunction" }).format(words);
}
