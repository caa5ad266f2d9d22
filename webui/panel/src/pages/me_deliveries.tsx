// An SMTP user's finished mail.
import type { Page } from "../core/api";
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import type { Delivery } from "../lib/me";
import { WordSearch } from "../ui/chips";
import { Card, Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Empty, Shown } from "../ui/states";
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
  const found = use_resource<Page<Delivery>>("/me/deliveries", { filter, limit: 200 });
  return (
    <>
      <Head title={t("me.deliveries")} />
      <WordSearch label={t("me.deliveries")} value={filter} known={KNOWN} placeholder={t("me.deliveries_filter")} bad={found.problem}
        onChange={(value) => set_words({ filter: value })} />
      <Shown of={found} lines={8}>
        {({ items, total }) => (
          <Card flush>
            {items.length
              ? <DataTable label={t("me.deliveries")} columns={columns()} rows={items} total={total} key_of={(row) => `${row.id}/${row.n}/${row.at}`} />
              : <Empty icon="deliveries">{t("me.deliveries_empty")}</Empty>}
          </Card>
        )}
      </Shown>
    </>
  );
}
