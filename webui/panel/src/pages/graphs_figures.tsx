// The numbers of a graph: by hour, day or month, their sum or mean, and a copy for a spreadsheet.
import { csv } from "../core/csv";
import { when } from "../core/format";
import { t, type Key } from "../core/i18n";
import type { Stats } from "../core/stats";
import { bucket_of, gather, type Row } from "../lib/buckets";
import type { Line } from "../ui/chart";
import { CopyButton } from "../ui/copy";
import { Card } from "../ui/head";

interface FiguresProps {
  stats: Stats;
  lines: Line[];
  format: (value: number | null | undefined) => string;
  sums: boolean;
  range: string;
}

function total_of(rows: Row[], k: number, sums: boolean): number | null {
  const known = rows.map(({ values }) => values[k]).filter((value): value is number => value !== null && value !== undefined);
  if (!known.length) return null;
  const sum = known.reduce((a, b) => a + b, 0);
  return sums ? sum : sum / known.length;
}

export function Figures({ stats, lines, format, sums, range }: FiguresProps) {
  const span = (stats.times.at(-1) ?? 0) - (stats.times[0] ?? 0);
  const bucket = span <= 3 * 86_400 ? "hour" : span <= 100 * 86_400 ? "day" : bucket_of(range);
  const rows = gather(stats.times, lines.map(({ mean }) => mean), lines.map(() => sums), bucket);
  const look = bucket === "hour" ? "short" : bucket === "day" ? "date" : "month";
  const copied = () => csv([[t("graphs.time"), ...lines.map(({ title }) => title)],
    ...rows.map(({ time, values }) => [new Date(time * 1000).toISOString(), ...values])]);
  return (
    <Card title={t(`graphs.by_${bucket}` as Key)} actions={<CopyButton text={copied} label={t("graphs.copy")} />}>
      <div class="wide" tabIndex={0} role="region" aria-label={t(`graphs.by_${bucket}` as Key)}>
        <table class="plain-table">
          <thead>
            <tr><th scope="col">{t("graphs.time")}</th>{lines.map(({ key, title }) => <th key={key} scope="col" class="num">{title}</th>)}</tr>
          </thead>
          <tbody>
            <tr>
              <th scope="row">{t(sums ? "graphs.sum" : "graphs.mean")}</th>
              {lines.map(({ key }, k) => <td key={key} class="num"><b>{format(total_of(rows, k, sums))}</b></td>)}
            </tr>
            {[...rows].reverse().map(({ time, values }) => (
              <tr key={time}>
                <td class="nowrap">{when(time, look)}</td>
                {values.map((value, k) => <td key={k} class="num">{format(value === null ? null : Math.round(value * 10) / 10)}</td>)}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
