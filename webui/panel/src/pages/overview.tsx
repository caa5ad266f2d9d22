// How it goes, at one glance: what needs somebody, the numbers of a day, where most waits.
import { bytes, duration, number, percent, short, UNKNOWN } from "../core/format";
import { t, tn, word } from "../core/i18n";
import { type Cause, load_overview, type Overview, overview } from "../core/overview";
import { may } from "../core/signals";
import { ButtonLink } from "../ui/button";
import { Card, Facts, Head } from "../ui/head";
import { Empty, ErrorBox, Notice, Skeleton } from "../ui/states";
import { PageView } from "../ui/page_view";
import { Tile } from "../ui/tile";

/** Lines are a file of their own: the numbers do not wait for it. */
const day_chart = () => import("../bundles/charts").then(({ DayChart }) => ({ default: DayChart }));

export default function OverviewPage() {
  const { data, problem } = overview.value;
  return (
    <>
      <Head title={t("nav.overview")} />
      {problem && <ErrorBox problem={problem} retry={load_overview} />}
      {data ? <Body data={data} /> : !problem && <Skeleton lines={8} />}
    </>
  );
}

function Body({ data }: { data: Overview }) {
  const is_new = !data.tiles.accepted_24h && !data.tiles.queued && !data.tiles.delivered_24h && !data.tiles.held;
  return (
    <>
      {data.causes.length > 0 && <ul class="stack tight">{data.causes.map((cause, i) => <li key={i}><CauseLine cause={cause} /></li>)}</ul>}
      {is_new && data.tiles.accepted_24h === 0 && (
        <Card>
          <Empty icon="setup" action={may("admin") && <ButtonLink href="/users">{t("nav.users")}</ButtonLink>}>{t("overview.empty")}</Empty>
        </Card>
      )}
      <Tiles data={data} />
      <PageView load={day_chart} props={{}} name="chart" />
      <div class="columns three">
        <TopDestinations rows={data.top_destinations} />
        <TopUsers rows={data.top_users} />
        <Machine data={data} />
      </div>
    </>
  );
}

function CauseLine({ cause }: { cause: Cause }) {
  const text = word("cause", cause.code, cause.code, cause.params);
  return (
    <Notice tone="warn" icon="warning" action={cause.link && <ButtonLink small href={cause.link}>{t("do.open")}</ButtonLink>}>
      {text}
    </Notice>
  );
}

function Tiles({ data: { tiles, spark } }: { data: Overview }) {
  const ended = (tiles.delivered_24h ?? 0) + (tiles.bounced_24h ?? 0);
  const share = (n: number | null | undefined) => (ended && n !== null && n !== undefined
    ? t("overview.share", { share: percent(n / ended) }) : "");
  const rate = tiles.rate_now;
  return (
    <div class="tiles">
      <Tile name={t("overview.delivered")} value={short(tiles.delivered_24h)} tone="delivered" href="/deliveries?filter=state:delivered"
        spark={spark.delivered ?? null} note={share(tiles.delivered_24h)} />
      <Tile name={t("overview.deferred")} value={short(tiles.deferred_24h)} tone="deferred" href="/queue?filter=state:deferred"
        spark={spark.deferred ?? null} />
      <Tile name={t("overview.bounced")} value={short(tiles.bounced_24h)} tone="bounced" href="/deliveries?filter=state:bounced"
        spark={spark.bounced ?? null} note={share(tiles.bounced_24h)} />
      <Tile name={t("overview.accepted")} value={short(tiles.accepted_24h)} tone="plain" spark={spark.accepted ?? null} />
      <Tile name={t("overview.queued")} value={short(tiles.queued)} tone="queued" href="/queue" spark={spark.queued ?? null} />
      <Tile name={t("overview.oldest")} value={tiles.queued === 0 ? UNKNOWN : duration(tiles.oldest_seconds)} tone="queued" href="/queue?sort=age" />
      <Tile name={t("overview.held")} value={short(tiles.held)} tone="held" href="/queue?filter=state:held" spark={spark.held ?? null} />
      <Tile name={t("overview.rate")} tone="plain" spark={spark.rate ?? null}
        value={rate === null || rate === undefined ? UNKNOWN : t("overview.per_minute", { n: number(rate, rate < 10 ? 1 : 0) })} />
    </div>
  );
}

function TopDestinations({ rows }: { rows: Overview["top_destinations"] }) {
  return (
    <Card title={t("overview.top_destinations")}>
      {rows.length === 0 ? <p class="muted">{t("overview.nothing_waits")}</p> : (
        <table class="plain-table">
          <tbody>
            {rows.slice(0, 5).map(({ name, queued, rate }) => (
              <tr key={name}>
                <th scope="row" class="break"><a href={`/queue?filter=${encodeURIComponent(`dest:${name}`)}`}>{name}</a></th>
                <td class="num">{number(queued)}</td>
                <td class="num muted nowrap">{rate === null ? UNKNOWN : t("overview.per_minute", { n: number(rate, 1) })}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function TopUsers({ rows }: { rows: Overview["top_users"] }) {
  return (
    <Card title={t("overview.top_users")}>
      {rows.length === 0 ? <p class="muted">{t("overview.nobody")}</p> : (
        <table class="plain-table">
          <tbody>
            {rows.slice(0, 5).map(({ name, accepted }) => (
              <tr key={name}>
                <th scope="row" class="break"><a href={`/deliveries?filter=${encodeURIComponent(`user:${name}`)}`}>{name}</a></th>
                <td class="num">{number(accepted)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Card>
  );
}

function certificate_text(certificate: Overview["certificate"]): string {
  if (!certificate) return UNKNOWN;
  const days = certificate.days_left ??
    (certificate.expires ? Math.floor((Date.parse(certificate.expires) - Date.now()) / 86_400_000) : null);
  const own = certificate.state === "self_signed" ? t("overview.self_signed") : "";
  return [certificate.name, days === null ? "" : tn("overview.days", days), own].filter(Boolean).join(" · ") || UNKNOWN;
}

function Machine({ data: { certificate, disk, version } }: { data: Overview }) {
  return (
    <Card title={t("overview.machine")}>
      <Facts rows={[
        [t("overview.certificate"), certificate_text(certificate)],
        [t("overview.disk"), disk?.total ? <Disk free={disk.free ?? 0} total={disk.total} /> : UNKNOWN],
        [t("overview.version"), version ?? UNKNOWN],
      ]} />
    </Card>
  );
}

function Disk({ free, total }: { free: number; total: number }) {
  const used = 1 - free / total;
  return (
    <>
      {t("overview.free", { free: bytes(free), total: bytes(total) })}
      <span class={`bar ${used > 0.9 ? "full" : used > 0.75 ? "high" : ""}`} aria-hidden="true">
        <span style={{ width: `${Math.round(used * 100)}%` }} />
      </span>
    </>
  );
}
