// Numbers over time, as lines and, always, as numbers.
import { useMemo } from "preact/hooks";
import { query } from "../core/api";
import { when } from "../core/format";
import { t, word, type Key } from "../core/i18n";
import { use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import { is_count, lines_of, type Range, ranges, type Stats, writer } from "../core/stats";
import { Button, ButtonLink, Segments } from "../ui/button";
import { Chart } from "../ui/chart";
import { Choice, Field } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Empty, Notice, Shown } from "../ui/states";
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

export default function Graphs() {
  const { words } = place.value;
  const range = (words.get("range") ?? "24h") as Range;
  const view = ((words.get("view") ?? "mail") in views ? words.get("view") ?? "mail" : "mail") as ViewName;
  const kind = (words.get("by") ?? "total") as Kind, name = words.get("name") ?? "";
  const by = kind === "total" ? "total" : name ? `${kind}:${name}` : null;
  const params = { metric: views[view], by, range, from: words.get("from"), to: words.get("to") };
  const stats = use_resource<Stats>(by === null ? null : "/stats", params, { every: EVERY_MS });
  const zoomed = Boolean(words.get("from"));
  const zoom = (from: number, to: number) => set_words({ from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() });
  return (
    <>
      <Head title={t("nav.graphs")} about={t("graphs.about")}>
        {by !== null && <ButtonLink icon="download" download href={`/api/v1/stats.csv${query(params)}`}>{t("do.csv")}</ButtonLink>}
      </Head>
      <div class="filters">
        <div class="field">
          <span class="label">{t("graphs.range")}</span>
          <div class="line">
            <Segments label={t("graphs.range")} value={zoomed ? "" as Range : range} options={ranges()}
              onPick={(value) => set_words({ range: value, from: "", to: "" })} />
            {zoomed && <Button icon="close" onClick={() => set_words({ from: "", to: "" })}>{t("graphs.whole")}</Button>}
          </div>
        </div>
        <Choice<ViewName> label={t("graphs.what")} value={view} onPick={(value) => set_words({ view: value })}
          options={(Object.keys(views) as ViewName[]).map((key) => [key, t(`view.${key}`)])} />
        <Choice<Kind> label={t("graphs.of")} value={kind} onPick={(value) => set_words({ by: value, name: "" })}
          options={kinds.map((key) => [key, t(`by.${key}` as Key)])} />
        {kind !== "total" && (
          <Field label={t(`by.${kind}_name` as Key)} value={name} onInput={(value) => set_words({ name: value.trim() })} />
        )}
      </div>
      {by === null ? <Card><Empty icon="graphs">{t("graphs.name_first")}</Empty></Card> : (
        <Shown of={stats} lines={10}>{(data) => <Picture stats={data} view={view} range={range} onZoom={zoom} />}</Shown>
      )}
    </>
  );
}

function Picture({ stats, view, range, onZoom }: {
  stats: Stats; view: ViewName; range: Range; onZoom: (from: number, to: number) => void;
}) {
  const counts = stats.series.some(is_count), format = writer(stats.series[0]);
  const lines = useMemo(() => lines_of(stats, stats.series.length <= 2), [stats]);
  const known = lines.some(({ mean }) => mean.some((value) => value !== null));
  if (!known) return <Card><Empty icon="graphs">{t("graphs.empty")}</Empty></Card>;
  return (
    <>
      <Card>
        <Chart label={t(`view.${view}`)} times={stats.times} lines={lines} step={stats.step} format={format} onZoom={onZoom}
          {...(counts && { unit: t("graphs.per_minute") })} />
        <p class="muted small for-mouse">{t("graphs.zoom_hint")}</p>
      </Card>
      {stats.gaps.map((gap, i) => <Notice key={i} icon="about">{gap_text(gap)}</Notice>)}
      <Figures stats={stats} titles={lines.map(({ title }) => title)} range={range} />
    </>
  );
}
