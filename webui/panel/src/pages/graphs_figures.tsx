// The numbers of a graph: by hour, day or month, their sum or mean, and a copy for a spreadsheet.
import { useSignal } from "@preact/signals";
import { csv } from "../core/csv";
import { percent, when } from "../core/format";
import { t, type Key } from "../core/i18n";
import { is_count, type Stats, writer } from "../core/stats";
import { type Bucket, bucket_of, end_of, gather, type Row } from "../lib/buckets";
import { Segments } from "../ui/button";
import type { Blank } from "../ui/chart";
import { CopyButton } from "../ui/copy";
import { Card } from "../ui/head";

interface FiguresProps {
  stats: Stats;
  before: Stats | undefined;
  blanks: Blank[];
  titles: string[];
  range: string;
}

const looks = { hour: "short", day: "date", month: "month" } as const;
const lengths = { hour: 3_600, day: 86_400, month: 31 * 86_400 };
const MOST_ROWS = 400;

/** Counts add up; of levels the mean is meant. */
function whole(columns: (number | null)[] | undefined, adds: boolean): number | null {
  const known = columns?.filter((value): value is number => value !== null && value !== undefined) ?? [];
  if (!known.length) return null;
  const sum = known.reduce((a, b) => a + b, 0);
  return adds ? sum : sum / known.length;
}

const columns_of = (stats: Stats) => stats.series.map((series) => (is_count(series) ? series.sum ?? series.mean : series.mean));

/** Those that say more than the picture: not finer than its steps, and not one row for everything. */
function buckets_for(stats: Stats): Bucket[] {
  const span = stats.times.length * stats.step;
  const fitting = (Object.keys(lengths) as Bucket[]).filter((bucket) =>
    lengths[bucket] >= stats.step && span / lengths[bucket] <= MOST_ROWS && span > lengths[bucket]);
  return fitting.length ? fitting : ["hour"];
}

function usual(stats: Stats, range: string): Bucket {
  const span = stats.times.length * stats.step;
  return span <= 3 * 86_400 ? "hour" : span <= 100 * 86_400 ? "day" : bucket_of(range);
}

export function Figures({ stats, before, blanks, titles, range }: FiguresProps) {
  const picked = useSignal<Bucket | null>(null);
  const fitting = buckets_for(stats), wanted = picked.value ?? usual(stats, range);
  const bucket = fitting.includes(wanted) ? wanted : fitting[0]!;
  const adds = stats.series.map(is_count);
  const columns = columns_of(stats);
  const rows = gather(stats.times, columns, adds, bucket);
  const name = t(`graphs.by_${bucket}` as Key);
  const copied = () => csv([[t("graphs.time"), ...titles],
    ...rows.map(({ time, values }) => [new Date(time * 1000).toISOString(), ...values])]);
  return (
    <Card title={name} actions={
      <>
        {fitting.length > 1 && (
          <Segments<Bucket> label={t("graphs.rows")} value={bucket} onPick={(value) => { picked.value = value; }}
            options={fitting.map((one) => [one, t(`bucket.${one}`)])} />
        )}
        <CopyButton text={copied} label={t("graphs.copy")} />
      </>
    }>
      <div class="wide" tabIndex={0} role="region" aria-label={name}>
        <table class="plain-table">
          <thead>
            <tr><th scope="col">{t("graphs.time")}</th>{titles.map((title) => <th key={title} scope="col" class="num">{title}</th>)}</tr>
          </thead>
          <tbody>
            <Totals stats={stats} columns={columns} adds={adds} before={before} />
            {[...rows].reverse().map((row) => <Line key={row.time} row={row} bucket={bucket} stats={stats} blanks={blanks} />)}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function Totals({ stats, columns, adds, before }: {
  stats: Stats; columns: (number | null)[][]; adds: boolean[]; before: Stats | undefined;
}) {
  const now = columns.map((column, k) => whole(column, adds[k]!));
  const then = before && columns_of(before).map((column, k) => whole(column, adds[k]!));
  const write = (values: (number | null)[]) => values.map((value, k) => (
    <td key={k} class="num"><b>{writer(stats.series[k])(value)}</b></td>
  ));
  return (
    <>
      <tr><th scope="row">{t(adds[0] ? "graphs.sum" : "graphs.mean")}</th>{write(now)}</tr>
      {then && <tr><th scope="row">{t("graphs.before")}</th>{write(then)}</tr>}
      {then && (
        <tr>
          <th scope="row">{t("graphs.change")}</th>
          {now.map((value, k) => <td key={k} class="num">{change(value, then[k] ?? null)}</td>)}
        </tr>
      )}
    </>
  );
}

/** "+12 %"; of nothing there is no share. */
function change(now: number | null, then: number | null): string {
  const share = now === null || !then ? null : now / then - 1;
  return `${share !== null && share > 0 ? "+" : ""}${percent(share)}`;
}

function Line({ row, bucket, stats, blanks }: { row: Row; bucket: Bucket; stats: Stats; blanks: Blank[] }) {
  const lacking = blanks.find(({ from, to }) => from < end_of(row.time, bucket) && to > row.time);
  return (
    <tr>
      <td class="nowrap">{when(row.time, looks[bucket])}{lacking && <span class="muted small"> · {t("graphs.part")}</span>}</td>
      {row.values.map((value, k) => <td key={k} class="num">{writer(stats.series[k])(value)}</td>)}
    </tr>
  );
}
