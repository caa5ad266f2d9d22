// Series of numbers over time, as GET /stats answers.
import type { Line } from "../ui/chart";
import type { Tone } from "../ui/state";
import { bytes, duration, number } from "./format";
import { t, type Key, word } from "./i18n";

export interface Series {
  metric: string;
  by?: string;
  unit?: "per_minute" | "recipients" | "seconds";
  mean: (number | null)[];
  min?: (number | null)[];
  max?: (number | null)[];
  /** Of counts: how many in each step. */
  sum?: (number | null)[];
}

export interface Stats {
  from: string | number;
  /** Seconds. */
  step: number;
  /** Seconds since 1970. */
  times: number[];
  series: Series[];
  gaps: { from: number | string; to: number | string; why: string }[];
}

const tones: Record<string, Tone> = {
  accepted: "plain", delivered: "delivered", deferred: "deferred", bounced: "bounced", held: "held", queued: "queued",
};
const spare: Tone[] = ["queued", "held", "deferred", "delivered", "plain", "bounced"];

export function lines_of(stats: Stats, with_band: boolean): Line[] {
  return stats.series.map(({ metric, by, mean, min, max }, i) => {
    const title = word("metric", metric);
    return {
      key: `${metric} ${by ?? ""}`, title: by && by !== "total" ? `${title} · ${by.replace(/^\w+:/, "")}` : title,
      tone: tones[metric] ?? spare[i % spare.length]!, mean, min: with_band ? min : undefined, max: with_band ? max : undefined,
    };
  });
}

export const is_count = ({ unit }: Series): boolean => unit === "per_minute";

/** What a number of this series is written like. */
export function writer(of: Series | undefined): (value: number | null | undefined) => string {
  if (of?.metric === "bytes") return bytes;
  if (of?.unit === "seconds") return duration;
  return (value) => number(value, value !== null && value !== undefined && Math.abs(value) < 10 ? 1 : 0);
}

export type Range = "24h" | "week" | "month" | "year";
export const ranges = (): [Range, string][] =>
  (["24h", "week", "month", "year"] as const).map((range) => [range, t(`range.${range}` as Key)]);
