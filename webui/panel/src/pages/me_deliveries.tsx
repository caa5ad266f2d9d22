// An SMTP user's finished mail.
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_list } from "../core/list";
import { ENDS } from "../core/mail";
import { place, set_words } from "../core/router";
import { parse_words, with_word } from "../core/words";
import type { Delivery } from "../lib/me";
import { WordSearch } from "../ui/chips";
import { Head } from "../ui/head";
import { ListView } from "../ui/list_view";
import { StatePill } from "../ui/state";
import { Empty } from "../ui/states";
import { type Column, DataTable } from "../ui/table";

const KNOWN = ["to", "from", "dest", "state", "reply", "msgid", "campaign"];

const columns = (): Column<Delivery>[] => [
  { key: "at", title: t("me.at"), width: "10rem", cell: (row) => <span title={when(row.at, "full")}>{when(row.at)}</span> },
  { key: "to", title: t("me.recipient"), card: "title", cell: (row) => row.recipient },
  { key: "state", title: t("me.state"), width: "9rem", card: "state", cell: (row) => <StatePill state={row.state} /> },
  { key: "reply", title: t("me.reply"), width: "minmax(0, 1.8fr)",
    cell: (row) => <span title={row.reply}>{[row.code, row.reply].filter(Boolean).join(" ") || "—"}</span> },
];

export default function MyDeliveries() {
  const filter = place.value.words.get("filter") ?? "";
  const asks_state = parse_words(filter, KNOWN).some(({ name }) => name === "state");
  const list = use_list<Delivery>("/me/deliveries", { filter: asks_state ? filter : with_word(filter, KNOWN, "state", ENDS) });
  return (
    <>
      <Head title={t("me.deliveries")} />
      <WordSearch label={t("me.deliveries")} value={filter} known={KNOWN} placeholder={t("me.deliveries_filter")} bad={list.problem}
        onChange={(value) => set_words({ filter: value })} />
      <ListView list={list} empty={<Empty icon="deliveries">{t(filter ? "queue.none_match" : "me.deliveries_empty")}</Empty>}>
        <DataTable label={t("me.deliveries")} columns={columns()} rows={list.rows} total={list.total} estimate={list.estimate} more={list.more}
          busy={list.busy} key_of={(row) => `${row.id}/${row.n}/${row.at}/${row.state}`} />
      </ListView>
    </>
  );
}
