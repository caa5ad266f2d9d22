// Where mail goes and how it fares there; from here one stops, slows, moves and frees it.
import { useSignal } from "@preact/signals";
import type { Page } from "../core/api";
import { number, when } from "../core/format";
import { t, tn, word } from "../core/i18n";
import type { Destination } from "../core/mail";
import { use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import { may } from "../core/signals";
import { standing_of, tone_of_standing } from "../lib/standing";
import { Segments } from "../ui/button";
import { Field } from "../ui/form";
import { Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Empty, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { Drawer } from "../ui/dialog";
import { DestinationDetails } from "./destination_details";
import { OrderDialog, OrderButtons, type OrderKind } from "./destination_orders";

export const queued_at = ({ ready, waiting, sending }: Destination): number => ready + waiting + sending;

export function StandingPill({ destination }: { destination: Destination }) {
  const standing = standing_of(destination.state);
  return <StatePill state={standing} tone={tone_of_standing(standing)} text={word("standing", standing)} />;
}

const columns = (): Column<Destination>[] => [
  { key: "name", title: t("destinations.name"), width: "minmax(0, 1.4fr)", card: "title", cell: ({ name }) => <b>{name}</b>, sort: true },
  { key: "state", title: t("queue.state"), width: "9rem", card: "state", cell: (row) => <StandingPill destination={row} /> },
  { key: "queued", title: t("destinations.queued"), width: "6rem", num: true, sort: true, cell: (row) => number(queued_at(row)) },
  { key: "sending", title: t("destinations.sending"), width: "5.5rem", num: true, from: "middle", card: "hide", cell: ({ sending }) => number(sending) },
  { key: "held", title: t("destinations.held"), width: "6rem", num: true, sort: true, cell: ({ held }) => number(held) },
  { key: "connections", title: t("destinations.connections"), width: "7rem", num: true, from: "middle",
    cell: ({ busy, connections }) => t("destinations.of", { busy: number(busy), all: number(connections) }) },
  { key: "why", title: t("destinations.why"), width: "minmax(0, 2fr)",
    cell: (row) => <span class={row.reason ? "" : "muted"} title={row.reason}>{row.reason || word("why", row.state)}</span> },
  { key: "until", title: t("destinations.until"), width: "8rem", num: true, from: "wide", card: "hide", cell: ({ until }) => (until ? when(until) : "—") },
];

const values: Record<string, (row: Destination) => number | string> = {
  name: ({ name }) => name, queued: queued_at, held: ({ held }) => held,
};

function arrange(rows: Destination[], text: string, only: string, sort: string): Destination[] {
  const key = sort.replace(/^-/, ""), by = values[key] ?? queued_at, down = sort.startsWith("-") ? -1 : 1;
  return rows
    .filter(({ name, state }) => name.toLowerCase().includes(text.toLowerCase()) &&
      (only === "" || !["flows", "paced", "idle"].includes(standing_of(state))))
    .sort((a, b) => {
      const left = by(a), right = by(b);
      return (left < right ? -1 : left > right ? 1 : a.name < b.name ? -1 : 1) * down;
    });
}

export default function Destinations() {
  const { words } = place.value;
  const found = use_resource<Page<Destination>>("/destinations", {}, { topics: ["destinations"], every: 10_000 });
  const picked = useSignal<Set<string>>(new Set());
  const open = useSignal<string | null>(null);
  const asks = useSignal<{ kind: OrderKind; names: string[] } | null>(null);
  const sort = words.get("sort") ?? "-queued", text = words.get("text") ?? "", only = words.get("only") ?? "";
  const opened = found.data?.items.find(({ name }) => name === open.value);
  const done = () => {
    picked.value = new Set();
    found.reload();
  };
  return (
    <>
      <Head title={t("nav.destinations")} about={t("destinations.about")} />
      <div class="line">
        <Segments label={t("destinations.show")} value={only} onPick={(value) => set_words({ only: value })}
          options={[["", t("destinations.all")], ["stopped", t("destinations.stopped")]]} />
        <div class="short-search"><Field label={t("destinations.search")} placeholder={t("destinations.search")} type="search" value={text} onInput={(value) => set_words({ text: value })} unseen /></div>
      </div>
      <Shown of={found} lines={10}>
        {({ items }) => {
          const rows = arrange(items, text, only, sort);
          if (!rows.length) return <div class="card"><Empty>{items.length ? t("queue.none_match") : t("destinations.empty")}</Empty></div>;
          return (
            <div class="card flush">
              <DataTable label={t("nav.destinations")} columns={columns()} rows={rows} key_of={({ name }) => name} name_of={({ name }) => name}
                {...(may("operator") && { picked })} onOpen={({ name }) => { open.value = name; }} sort={sort}
                onSort={(value) => set_words({ sort: value })} />
            </div>
          );
        }}
      </Shown>
      {picked.value.size > 0 && (
        <div class="bulk" role="region" aria-label={t("bulk.region")}>
          <span role="status">{tn("destinations.picked", picked.value.size)}</span>
          <OrderButtons onPick={(kind) => { asks.value = { kind, names: [...picked.value] }; }} small />
        </div>
      )}
      {opened && (
        <Drawer title={opened.name} onClose={() => { open.value = null; }}>
          <DestinationDetails destination={opened} onChange={found.reload}
            onPick={(kind) => { asks.value = { kind, names: [opened.name] }; }} />
        </Drawer>
      )}
      {asks.value && (
        <OrderDialog kind={asks.value.kind} names={asks.value.names} onClose={() => { asks.value = null; }} onDone={done} />
      )}
    </>
  );
}

