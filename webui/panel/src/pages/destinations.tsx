// Where mail goes and how it fares there, by provider or one by one; from here one stops, slows, moves
// and frees it.
import { useSignal } from "@preact/signals";
import type { Page } from "../core/api";
import { ago, duration, number, percent, when } from "../core/format";
import { t, tn, word } from "../core/i18n";
import type { Destination, Past } from "../core/mail";
import { use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import { may } from "../core/signals";
import { cause_of } from "../lib/causes";
import { alone, arranged, by_provider, type Place, queued_at } from "../lib/destinations";
import { standing_of, tone_of_standing } from "../lib/standing";
import { Button, Segments } from "../ui/button";
import { Drawer } from "../ui/dialog";
import { Field } from "../ui/form";
import { Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Empty, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { DestinationDetails } from "./destination_details";
import { OrderButtons, OrderDialog, type OrderKind } from "./destination_orders";

export function StandingPill({ destination }: { destination: Destination }) {
  const standing = standing_of(destination.state);
  return <StatePill state={standing} tone={tone_of_standing(standing)} text={word("standing", standing)} />;
}

export const share_of = (past: Past | null | undefined): string =>
  percent(past?.percent === null || past?.percent === undefined ? null : past.percent / 100, 0);

export function pace_of({ rate, limit }: Destination): string {
  const now = number(rate, rate && rate < 10 ? 1 : 0);
  return limit ? t("destinations.of", { busy: now, all: number(limit) }) : now;
}

/** What it says or why it does not move, in words; the reply itself stands in the details. */
export function news_of(row: Destination): string {
  if (row.reason && standing_of(row.state) === "suspended") return row.reason;
  if (row.last_reply && row.last_reply.state !== "delivered") {
    const cause = cause_of(`${row.last_reply.code ?? ""} ${row.last_reply.text}`);
    return cause ? word("said", cause) : row.last_reply.text;
  }
  return row.reason || (row.last_reply ? t("destinations.took_it", { ago: ago(row.last_reply.at) }) : word("why", row.state));
}

const columns = (): Column<Place>[] => [
  { key: "name", title: t("destinations.name"), width: "minmax(0, 1.2fr)", card: "title", sort: true,
    cell: ({ name, members }) => <><b>{name}</b>{members.length > 1 && <span class="muted"> · {number(members.length)}</span>}</> },
  { key: "state", title: t("queue.state"), width: "8.5rem", card: "state", cell: (row) => <StandingPill destination={row} /> },
  { key: "queued", title: t("destinations.queued"), width: "5rem", num: true, sort: true, cell: (row) => number(queued_at(row)) },
  { key: "oldest", title: t("destinations.oldest"), width: "5.5rem", num: true, sort: true, cell: ({ oldest_seconds }) => duration(oldest_seconds) },
  { key: "held", title: t("destinations.held"), width: "5rem", num: true, sort: true, from: "wide", card: "hide", cell: ({ held }) => number(held) },
  { key: "rate", title: t("destinations.rate"), width: "5.5rem", num: true, sort: true, cell: pace_of },
  { key: "connections", title: t("destinations.connections"), width: "6.5rem", num: true, from: "wide",
    cell: ({ busy, connections }) => t("destinations.of", { busy: number(busy), all: number(connections) }) },
  { key: "hour", title: t("destinations.delivered"), width: "8rem", num: true, sort: true, from: "middle",
    cell: ({ hour, day }) => `${share_of(hour)} · ${share_of(day)}` },
  { key: "why", title: t("destinations.news"), width: "minmax(0, 1.6fr)",
    cell: (row) => <span title={row.last_reply?.text || row.reason}>{news_of(row)}</span> },
  { key: "drain", title: t("destinations.drain"), width: "6rem", num: true, from: "wide",
    cell: ({ drain_forecast }) => (drain_forecast ? when(drain_forecast, "time") : "—") },
];

export default function Destinations() {
  const { words } = place.value;
  const found = use_resource<Page<Destination>>("/destinations", {}, { topics: ["destinations"], every: 10_000 });
  const picked = useSignal<Set<string>>(new Set());
  const open = useSignal<string | null>(null);
  const asks = useSignal<{ kind: OrderKind; places: Place[] } | null>(null);
  const sort = words.get("sort") ?? "-queued", text = words.get("text") ?? "", only = words.get("only") ?? "";
  const provider = words.get("provider") ?? "", groups = words.get("by") === "provider";
  const items = found.data?.items ?? [];
  const places = groups ? by_provider(items) : items.filter((one) => !provider || one.provider === provider).map(alone);
  const rows = arranged(places, text, only !== "", sort);
  const opened = items.find(({ name }) => name === open.value);
  const show = (row: Place) => {
    if (row.key === row.name) open.value = row.name;
    else set_words({ by: "", provider: row.name });
  };
  const see = (words_now: Record<string, string>) => {
    picked.value = new Set();
    set_words(words_now);
  };
  return (
    <>
      <Head title={t("nav.destinations")} about={t("destinations.about")} />
      <div class="line">
        <Segments label={t("destinations.by")} value={groups ? "provider" : ""} onPick={(value) => see({ by: value, provider: "" })}
          options={[["", t("destinations.each")], ["provider", t("destinations.providers")]]} />
        <Segments label={t("destinations.show")} value={only} onPick={(value) => set_words({ only: value })}
          options={[["", t("destinations.all")], ["stopped", t("destinations.stopped")]]} />
        <div class="short-search"><Field label={t("destinations.search")} placeholder={t("destinations.search")} type="search" value={text} onInput={(value) => set_words({ text: value })} unseen /></div>
        {provider && <Button icon="close" label={t("destinations.leave", { name: provider })} onClick={() => see({ by: "provider", provider: "" })}>{provider}</Button>}
      </div>
      <Shown of={found} lines={10}>
        {() => !rows.length ? <div class="card"><Empty>{items.length ? t("queue.none_match") : t("destinations.empty")}</Empty></div> : (
          <div class="card flush">
            <DataTable label={t("nav.destinations")} columns={columns()} rows={rows} key_of={({ key }) => key} name_of={({ name }) => name}
              {...(may("operator") && { picked })} onOpen={show} sort={sort} onSort={(value) => set_words({ sort: value })} />
          </div>
        )}
      </Shown>
      {picked.value.size > 0 && (
        <div class="bulk" role="region" aria-label={t("bulk.region")}>
          <span role="status">{tn("destinations.picked", picked.value.size)}</span>
          <OrderButtons onPick={(kind) => { asks.value = { kind, places: places.filter(({ key }) => picked.value.has(key)) }; }} small />
        </div>
      )}
      {opened && (
        <Drawer title={opened.name} onClose={() => { open.value = null; }}>
          <DestinationDetails destination={opened} onChange={found.reload} onPick={(kind) => { asks.value = { kind, places: [alone(opened)] }; }} />
        </Drawer>
      )}
      {asks.value && (
        <OrderDialog {...asks.value} onClose={() => { asks.value = null; }} onDone={() => { picked.value = new Set(); found.reload(); }} />
      )}
    </>
  );
}
