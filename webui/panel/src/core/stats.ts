// Series of numbers over time, as GET /stats answers.
import type { Line } from "../ui/chart";
import type { Tone } from "../ui/state";
import { t, type Key, word } from "./i18n";

export interface Stats {
  from: string | number;
  /** Seconds. */
  step: number;
  /** Seconds since 1970. */
  times: number[];
  series: { metric: string; by?: string; mean: (number | null)[]; min?: (number | null)[]; max?: (number | null)[] }[];
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

export type Range = "24h" | "week" | "month" | "year";
export const ranges = (): [Range, string][] =>
  (["24h", "week", "month", "year"] as const).map((range) => [range, t(`range.${range}` as Key)]);
