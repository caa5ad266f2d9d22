// What waits, message by message: found by words, picked by rows or all that match, acted upon.
import { useSignal } from "@preact/signals";
import { ago, bytes, number } from "../core/format";
import { t, tn, type Key } from "../core/i18n";
import type { Selection, Verb } from "../core/jobs";
import { use_list } from "../core/list";
import { FILTER_WORDS, type Message, message_place, reply_text, state_of } from "../core/mail";
import { go, place, set_words } from "../core/router";
import { may } from "../core/signals";
import { parse_words, with_word } from "../core/words";
import { Button, Segments } from "../ui/button";
import { WordSearch } from "../ui/chips";
import { keep_focus } from "../ui/focus";
import { Head } from "../ui/head";
import { ListView } from "../ui/list_view";
import { StatePill } from "../ui/state";
import { Empty } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { BulkDialog, VerbButtons } from "./queue_bulk";
import { ExportQueue } from "./queue_export";
import { SavedViews } from "./queue_views";

const columns = (): Column<Message>[] => [
  { key: "to", title: t("queue.to"), width: "minmax(0, 1.6fr)", card: "title", cell: (message) => <To message={message} /> },
  { key: "state", title: t("queue.state"), width: "8rem", card: "state", cell: (message) => <StatePill state={state_of(message)} /> },
  { key: "from", title: t("queue.from"), width: "minmax(0, 1.2fr)", from: "middle", cell: ({ sender }) => sender || t("queue.report") },
  { key: "user", title: t("queue.user"), width: "8rem", cell: ({ user }) => user },
  { key: "reply", title: t("queue.reply"), width: "minmax(0, 1.6fr)", cell: ({ recipients }) => <Reply text={reply_text(recipients[0]?.reply ?? "")} /> },
  { key: "attempts", title: t("queue.attempts"), width: "5rem", num: true, from: "wide", card: "hide",
    cell: ({ recipients }) => number(Math.max(0, ...recipients.map(({ attempts }) => attempts))) },
  { key: "size", title: t("queue.size"), width: "5rem", num: true, from: "wide", card: "hide", cell: ({ size }) => bytes(size) },
  { key: "age", title: t("queue.age"), width: "8.5rem", num: true, cell: ({ arrived }) => ago(arrived) },
];

function To({ message: { id, recipients, n_recipients } }: { message: Message }) {
  const more = n_recipients - 1;
  return (
    <a href={message_place(id)}>
      {recipients[0]?.address ?? id}{more > 0 && <span class="muted"> {tn("queue.others", more)}</span>}
    </a>
  );
}

function Reply({ text }: { text: string }) {
  return text ? <span title={text}>{text}</span> : <span class="muted">{t("queue.no_reply")}</span>;
}

const quick = ["", "deferred", "held", "queued"] as const;

export default function Queue() {
  const { words } = place.value;
  const filter = words.get("filter") ?? "";
  const picked = useSignal<Set<string>>(new Set());
  const all = useSignal(false);
  const asks = useSignal<Verb | null>(null);
  const list = use_list<Message>("/queue", { filter, sort: words.get("sort"), recipients: 20 }, {
    topics: ["queue"], still: () => picked.peek().size > 0 || asks.peek() !== null,
  });
  const clear = () => {
    picked.value = new Set();
    all.value = false;
  };
  const search = (value: string) => {
    clear();
    set_words({ filter: value });
  };
  const pick_all = () => {
    picked.value = new Set(list.rows.map(({ id }) => id));
    all.value = list.more !== null;
  };
  const state = parse_words(filter, FILTER_WORDS).find(({ name }) => name === "state")?.value ?? "";
  const selection: Selection = all.value ? { filter } : { ids: [...picked.value] };
  return (
    <>
      <Head title={t("nav.queue")} about={t("queue.about")}>
        {list.rows.length > 0 && <ExportQueue filter={filter} picked={all.value ? [] : list.rows.filter(({ id }) => picked.value.has(id))} />}
      </Head>
      <WordSearch label={t("queue.search")} value={filter} known={FILTER_WORDS} placeholder={t("queue.search_hint")} onChange={search}
        bad={list.problem} />
      <div class="line">
        <Segments label={t("queue.state")} value={(quick as readonly string[]).includes(state) ? state : "other"}
          options={quick.map((name) => [name as string, t((name ? `state.${name}` : "queue.any") as Key)])}
          onPick={(name) => search(with_word(filter, FILTER_WORDS, "state", name))} />
        {may("operator") && list.rows.length > 0 && !picked.value.size && (
          <Button small kind="quiet" icon="check" onClick={pick_all}>{all_text("pick_all", list.total)}</Button>
        )}
        <SavedViews page="queue" filter={filter} onShow={clear} />
      </div>
      <ListView list={list} empty={<Empty icon="check">{filter ? t("queue.none_match") : t("queue.empty")}</Empty>}>
        <DataTable label={t("nav.queue")} columns={columns()} rows={list.rows} key_of={({ id }) => id}
          name_of={({ recipients, id }) => recipients[0]?.address ?? id} total={list.total} estimate={list.estimate} more={list.more}
          busy={list.busy} {...(may("operator") && { picked })} linked onOpen={({ id }) => go(message_place(id))}
          sort={words.get("sort") ?? ""} />
      </ListView>
      {picked.value.size > 0 && (
        <Bulk n={picked.value.size} all={all.value} can_all={picked.value.size < list.rows.length || list.more !== null}
          total={list.total} onAll={pick_all} onVerb={(verb) => { asks.value = verb; }} onClear={() => { clear(); keep_focus(); }} />
      )}
      {asks.value && (
        <BulkDialog selection={selection} verb={asks.value} onClose={() => { asks.value = null; }} onUndone={list.reload}
          onDone={() => { clear(); list.reload(); }} />
      )}
    </>
  );
}

/** While the exact number is not known, none is told. */
const all_text = (key: "all" | "pick_all", total: number | null): string =>
  (total === null ? t(`bulk.${key}_unknown`) : t(`bulk.${key}`, { n: number(total) }));

function Bulk({ n, all, can_all, total, onAll, onVerb, onClear }: {
  n: number; all: boolean; can_all: boolean; total: number | null; onAll: () => void; onVerb: (verb: Verb) => void; onClear: () => void;
}) {
  return (
    <div class="bulk" role="region" aria-label={t("bulk.region")}>
      <span role="status">{all ? all_text("all", total) : tn("bulk.picked", n)}</span>
      {can_all && !all && <Button small kind="quiet" onClick={onAll}>{all_text("pick_all", total)}</Button>}
      <VerbButtons small onPick={onVerb} />
      <Button small kind="quiet" icon="close" label={t("bulk.clear")} onClick={onClear} />
    </div>
  );
}
