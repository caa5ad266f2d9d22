// What is finished: found by the same words as the queue, in a span of time.
import { query } from "../core/api";
import { duration, when } from "../core/format";
import { t, type Key } from "../core/i18n";
import { use_list } from "../core/list";
import { type Delivery, ENDS, FILTER_WORDS, message_place, said } from "../core/mail";
import { go, place, set_words } from "../core/router";
import { parse_words, with_word } from "../core/words";
import { Button, ButtonLink, Segments } from "../ui/button";
import { WordSearch } from "../ui/chips";
import { Choice } from "../ui/form";
import { Head } from "../ui/head";
import { ListView } from "../ui/list_view";
import { StatePill } from "../ui/state";
import { Empty } from "../ui/states";
import { type Column, DataTable } from "../ui/table";

const columns = (): Column<Delivery>[] => [
  { key: "at", title: t("deliveries.at"), width: "9rem", cell: ({ at }) => when(at, "short") },
  { key: "to", title: t("queue.to"), width: "minmax(0, 1.5fr)", card: "title",
    cell: ({ id, recipient }) => <a href={message_place(id)}>{recipient}</a> },
  { key: "state", title: t("queue.state"), width: "8rem", card: "state", cell: ({ state }) => <StatePill state={state} /> },
  { key: "from", title: t("queue.from"), width: "minmax(0, 1fr)", from: "wide", cell: ({ sender }) => sender || t("queue.report") },
  { key: "user", title: t("queue.user"), width: "8rem", from: "middle", cell: ({ user }) => user },
  { key: "reply", title: t("queue.reply"), width: "minmax(0, 2fr)", cell: (row) => <span title={said(row)}>{said(row) || "—"}</span> },
  { key: "seconds", title: t("deliveries.took"), width: "5.5rem", num: true, from: "middle", cell: ({ seconds }) => duration(seconds) },
];

const SPANS = { h1: 3_600, d1: 86_400, d7: 604_800, d30: 2_592_000, all: 0 };
type Span = keyof typeof SPANS;
const quick = ["", "delivered", "deferred", "bounced"] as const;

/** On whole minutes, so that the same question stays the same while the page is drawn again. */
function since(span: Span): string {
  return SPANS[span] ? new Date(Math.floor(Date.now() / 60_000) * 60_000 - SPANS[span] * 1000).toISOString() : "";
}

export default function Deliveries() {
  const { words } = place.value;
  const filter = words.get("filter") ?? "";
  const span = (words.get("span") ?? "d7") as Span;
  const known = parse_words(filter, FILTER_WORDS);
  const state = known.find(({ name }) => name === "state")?.value ?? "";
  const params = { filter: state ? filter : with_word(filter, FILTER_WORDS, "state", ENDS), from: since(span in SPANS ? span : "d7") };
  const list = use_list<Delivery>("/deliveries", params);
  const search = (value: string) => set_words({ filter: value });
  return (
    <>
      <Head title={t("nav.deliveries")} about={t("deliveries.about")}>
        <ButtonLink icon="download" download href={`/api/v1/deliveries.csv${query(params)}`}>{t("do.csv")}</ButtonLink>
      </Head>
      <WordSearch label={t("deliveries.search")} value={filter} known={FILTER_WORDS} placeholder={t("queue.search_hint")} onChange={search}
        bad={list.problem} />
      <div class="line">
        <Segments label={t("queue.state")} value={(quick as readonly string[]).includes(state) ? state : "other"}
          options={quick.map((name) => [name as string, t((name ? `state.${name}` : "queue.any") as Key)])}
          onPick={(name) => search(with_word(filter, FILTER_WORDS, "state", name))} />
        <Choice<Span> label={t("deliveries.span")} unseen value={span} onPick={(value) => set_words({ span: value })}
          options={(Object.keys(SPANS) as Span[]).map((name) => [name, t(`past.${name}`)])} />
      </div>
      <ListView list={list} empty={<Empty icon="deliveries" action={span !== "all" && <Button onClick={() => set_words({ span: "all" })}>{t("past.all")}</Button>}>{filter ? t("queue.none_match") : t("deliveries.empty")}</Empty>}>
        <DataTable label={t("nav.deliveries")} columns={columns()} rows={list.rows} total={list.total} estimate={list.estimate} more={list.more}
          busy={list.busy} key_of={({ id, n, at, state: how }) => `${id}/${n}/${at}/${how}`} linked onOpen={({ id }) => go(message_place(id))} />
      </ListView>
    </>
  );
}
