// The last day as lines, under the tiles.
import { useMemo } from "preact/hooks";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { lines_of, type Stats, writer } from "../core/stats";
import { ButtonLink } from "../ui/button";
import { Chart } from "../ui/chart";
import { Card } from "../ui/head";
import { Shown } from "../ui/states";

const EVERY_MS = 60_000; // the finest step of the counters is a minute

export function DayChart() {
  const stats = use_resource<Stats>("/stats", { metric: "accepted,delivered,deferred,bounced", by: "total", range: "24h" },
    { every: EVERY_MS });
  return (
    <Card title={t("overview.traffic")} actions={<ButtonLink small kind="quiet" icon="graphs" href="/graphs">{t("overview.graphs")}</ButtonLink>}>
      <Shown of={stats} lines={7}>{(data) => <Lines stats={data} />}</Shown>
    </Card>
  );
}

function Lines({ stats }: { stats: Stats }) {
  const lines = useMemo(() => lines_of(stats, false), [stats]);
  return <Chart label={t("overview.traffic")} times={stats.times} lines={lines} step={stats.step}
    format={writer(stats.series[0])} unit={t("graphs.per_minute")} />;
}
