// The numbers of a graph: by hour, day or month, their sum or mean, and a copy for a spreadsheet.
import { csv } from "../core/csv";
import { when } from "../core/format";
import { t, type Key } from "../core/i18n";
import { is_count, type Stats, writer } from "../core/stats";
import { bucket_of, gather, type Row } from "../lib/buckets";
import { CopyButton } from "../ui/copy";
import { Card } from "../ui/head";

interface FiguresProps {
  stats: Stats;
  titles: string[];
  range: string;
}

/** Counts add up; of levels the mean is meant. */
function whole(rows: Row[], k: number, adds: boolean): number | null {
  const known = rows.map(({ values }) => values[k]).filter((value): value is number => value !== null && value !== undefined);
  if (!known.length) return null;
  const sum = known.reduce((a, b) => a + b, 0);
  return adds ? sum : sum / known.length;
}

export function Figures({ stats, titles, range }: FiguresProps) {
  const span = (stats.times.at(-1) ?? 0) - (stats.times[0] ?? 0);
  const bucket = span <= 3 * 86_400 ? "hour" : span <= 100 * 86_400 ? "day" : bucket_of(range);
  const adds = stats.series.map(is_count), write = stats.series.map((series) => writer(series));
  const rows = gather(stats.times, stats.series.map(({ sum, mean }, k) => (adds[k] ? sum ?? mean : mean)), adds, bucket);
  const look = bucket === "hour" ? "short" : bucket === "day" ? "date" : "month";
  const copied = () => csv([[t("graphs.time"), ...titles],
    ...rows.map(({ time, values }) => [new Date(time * 1000).toISOString(), ...values])]);
  return (
    <Card title={t(`graphs.by_${bucket}` as Key)} actions={<CopyButton text={copied} label={t("graphs.copy")} />}>
      <div class="wide" tabIndex={0} role="region" aria-label={t(`graphs.by_${bucket}` as Key)}>
        <table class="plain-table">
          <thead>
            <tr><th scope="col">{t("graphs.time")}</th>{titles.map((title) => <th key={title} scope="col" class="num">{title}</th>)}</tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{t(adds[0] ? "graphs.sum" : "graphs.mean")}</th>
              {titles.map((title, k) => <td key={title} class="num"><b>{write[k]!(whole(rows, k, adds[k]!))}</b></td>)}
            </tr>
            {[...rows].reverse().map(({ time, values }) => (
              <tr key={time}>
                <td class="nowrap">{when(time, look)}</td>
                {values.map((value, k) => <td key={k} class="num">{write[k]!(value)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
