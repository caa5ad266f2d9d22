// Numbers over time, as lines and, always, as numbers.
import { useMemo, useRef } from "preact/hooks";
import { query } from "../core/api";
import { download } from "../core/csv";
import { when } from "../core/format";
import { t, word, type Key } from "../core/i18n";
import { use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import { is_count, lines_of, type Range, ranges, type Stats, writer } from "../core/stats";
import { earlier, laid_under, moved, type Span, span_of, zoomed } from "../lib/periods";
import { png_of } from "../lib/picture";
import { Button, ButtonLink, Segments } from "../ui/button";
import { Chart } from "../ui/chart";
import { CopyButton } from "../ui/copy";
import { Check, Choice, Field } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Empty, ErrorBox, Notice, Shown } from "../ui/states";
import { complain } from "../ui/toast";
import { Figures } from "./graphs_figures";

export const views = {
  mail: "accepted,delivered,deferred,bounced",
  ends: "expired,deleted,held",
  queue: "queued",
  size: "bytes",
  latency: "latency_p50,latency_p95",
};
type ViewName = keyof typeof views;

const kinds = ["total", "user", "site", "provider", "egress"] as const;
type Kind = (typeof kinds)[number];

const EVERY_MS = 60_000;

function gap_text(gap: Stats["gaps"][number]): string {
  return t("graphs.gap", { from: when(gap.from), to: when(gap.to), why: word("gap", gap.why) });
}

const seconds_of = (time: number | string): number => (typeof time === "number" ? time : Date.parse(time) / 1000);
const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
const show = ({ from, to }: Span) => set_words({ from: iso(from), to: iso(to) });

export default function Graphs() {
  const { words } = place.value;
  const range = (words.get("range") ?? "24h") as Range;
  const view = ((words.get("view") ?? "mail") in views ? words.get("view") ?? "mail" : "mail") as ViewName;
  const kind = (words.get("by") ?? "total") as Kind, name = words.get("name") ?? "";
  const by = kind === "total" ? "total" : name ? `${kind}:${name}` : null;
  const params = { metric: views[view], by, range, from: words.get("from"), to: words.get("to") };
  const stats = use_resource<Stats>(by === null ? null : "/stats", params, { every: EVERY_MS });
  const compares = words.get("compare") === "1";
  return (
    <>
      <Head title={t("nav.graphs")} about={t("graphs.about")}>
        <CopyButton small={false} text={() => location.href} label={t("graphs.link")} />
        {by !== null && <ButtonLink icon="download" download href={`/api/v1/stats.csv${query(params)}`}>{t("do.csv")}</ButtonLink>}
      </Head>
      <div class="filters">
        <div class="field">
          <span class="label">{t("graphs.range")}</span>
          <Segments label={t("graphs.range")} value={words.get("from") ? "" as Range : range} options={ranges()}
            onPick={(value) => set_words({ range: value, from: "", to: "" })} />
        </div>
        <Choice<ViewName> label={t("graphs.what")} value={view} onPick={(value) => set_words({ view: value })}
          options={(Object.keys(views) as ViewName[]).map((key) => [key, t(`view.${key}`)])} />
        <Choice<Kind> label={t("graphs.of")} value={kind} onPick={(value) => set_words({ by: value, name: "" })}
          options={kinds.map((key) => [key, t(`by.${key}` as Key)])} />
        {kind !== "total" && (
          <Field label={t(`by.${kind}_name` as Key)} value={name} onInput={(value) => set_words({ name: value.trim() })} />
        )}
        <Check label={t("graphs.compare")} value={compares} onToggle={(on) => set_words({ compare: on ? "1" : "" })} />
      </div>
      {by === null ? <Card><Empty icon="graphs">{t("graphs.name_first")}</Empty></Card> : (
        <Shown of={stats} lines={10}>
          {(data) => compares ? <Compared stats={data} params={params} view={view} range={range} />
            : <Picture stats={data} view={view} range={range} />}
        </Shown>
      )}
    </>
  );
}

interface PictureProps {
  stats: Stats;
  view: ViewName;
  range: Range;
  /** The same, one period earlier. */
  before?: Stats | undefined;
}

function Compared({ params, ...props }: PictureProps & { params: { metric: string; by: string | null } }) {
  const { from, to } = earlier(span_of(props.stats));
  const before = use_resource<Stats>("/stats", { metric: params.metric, by: params.by, step: props.stats.step, from: iso(from), to: iso(to) });
  return (
    <>
      {before.problem && <ErrorBox problem={before.problem} retry={before.reload} what={t("graphs.no_before")} />}
      <Picture {...props} before={before.data} />
    </>
  );
}

function lines_with(stats: Stats, before: Stats | undefined) {
  const lines = lines_of(stats, stats.series.length <= 2 && !before);
  return lines.map((line, i) => {
    const mean = before?.series[i]?.mean;
    return mean && before ? { ...line, before: laid_under(stats, before, mean) } : line;
  });
}

function Picture({ stats, view, range, before }: PictureProps) {
  const counts = stats.series.some(is_count), format = writer(stats.series[0]);
  const lines = useMemo(() => lines_with(stats, before), [stats, before]);
  const box = useRef<HTMLDivElement>(null);
  const known = lines.some(({ mean }) => mean.some((value) => value !== null));
  const blanks = stats.gaps.map(({ from, to, why }) => ({ from: seconds_of(from), to: seconds_of(to), why: word("gap", why) }));
  if (!known) return <Card><Empty icon="graphs" action={<Ways stats={stats} />}>{t("graphs.empty")}</Empty></Card>;
  return (
    <>
      <Card>
        <div class="stack tight" ref={box}>
          <Chart label={t(`view.${view}`)} times={stats.times} lines={lines} step={stats.step} format={format} blanks={blanks}
            onZoom={(from, to) => show({ from, to })} {...(counts && { unit: t("graphs.per_minute") })} />
          {before && <p class="muted small">{t("graphs.faint", { from: when(before.times[0] ?? 0), to: when(stats.times[0] ?? 0) })}</p>}
          <div class="line">
            <Ways stats={stats} />
            <Button small icon="download" onClick={() => void save(box.current, t(`view.${view}`), stats)}>{t("graphs.png")}</Button>
            <span class="muted small for-mouse">{t("graphs.zoom_hint")}</span>
          </div>
        </div>
      </Card>
      {stats.gaps.length > 0 && (
        <Notice><ul>{stats.gaps.map((gap) => <li key={gap.from}>{gap_text(gap)}</li>)}</ul></Notice>
      )}
      <Figures stats={stats} before={before} blanks={blanks} titles={lines.map(({ title }) => title)} range={range} />
    </>
  );
}

/** Zooming and moving for who does not drag. */
function Ways({ stats }: { stats: Stats }) {
  const span = span_of(stats), now = Date.now() / 1000;
  return (
    <div class="actions" role="group" aria-label={t("graphs.zoom")}>
      <Button small onClick={() => show(moved(span, -0.5, now))}>{t("graphs.earlier")}</Button>
      <Button small disabled={span.to >= now} onClick={() => show(moved(span, 0.5, now))}>{t("graphs.later")}</Button>
      <Button small onClick={() => show(zoomed(span, 0.5, now))}>{t("graphs.in")}</Button>
      <Button small onClick={() => show(zoomed(span, 2, now))}>{t("graphs.out")}</Button>
      {place.value.words.get("from") && (
        <Button small icon="close" onClick={() => set_words({ from: "", to: "" })}>{t("graphs.whole")}</Button>
      )}
    </div>
  );
}

async function save(box: HTMLElement | null, title: string, stats: Stats): Promise<void> {
  const svg = box?.querySelector<SVGElement>(".plot svg");
  if (!box || !svg) return;
  const { from, to } = span_of(stats);
  const shown = [...box.querySelectorAll<HTMLElement>('.legend [aria-pressed="true"]')];
  try {
    const picture = await png_of(svg, `${title} · ${when(from)} – ${when(to)}`, shown.map((one) => [one.textContent ?? "", one.firstElementChild!]));
    download("staffetta.png", picture);
  } catch (error) {
    complain(error);
  }
}
