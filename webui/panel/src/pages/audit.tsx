// Who changed what.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, type Page } from "../core/api";
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { type Change, differences } from "../lib/access";
import { Drawer } from "../ui/dialog";
import { Card, Facts, Head } from "../ui/head";
import { Empty, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { complain } from "../ui/toast";

const columns = (): Column<Change>[] => [
  { key: "at", title: t("audit.at"), width: "10rem", cell: (row) => <span title={when(row.at, "full")}>{when(row.at)}</span> },
  { key: "who", title: t("audit.who"), width: "minmax(0, 0.8fr)", cell: (row) => <span title={row.from}>{row.who}</span> },
  { key: "action", title: t("audit.action"), width: "minmax(0, 0.8fr)", card: "title", cell: (row) => <code>{row.action}</code> },
  { key: "object", title: t("audit.object"), cell: (row) => row.object || "—" },
  { key: "change", title: t("audit.change"), width: "minmax(0, 1.6fr)", cell: (row) => <Difference row={row} /> },
];

function Difference({ row }: { row: Change }) {
  const lines = differences(row.before, row.after);
  return <span title={lines.join("\n")}>{lines.join(" · ") || "—"}</span>;
}

export default function Audit() {
  const first = use_resource<Page<Change>>("/audit", { limit: 100 });
  const open = useSignal<Change | null>(null);
  const older = useSignal<Change[]>([]), cursor = useSignal<string | null>(null), busy = useSignal(false);
  useEffect(() => {
    older.value = [];
    cursor.value = first.data?.next_cursor ?? null;
  }, [first.data]);
  const more = async () => {
    busy.value = true;
    try {
      const page = await get<Page<Change>>("/audit", { limit: 100, cursor: cursor.value });
      older.value = [...older.value, ...page.items];
      cursor.value = page.next_cursor ?? null;
    } catch (error) {
      complain(error);
    }
    busy.value = false;
  };
  return (
    <>
      <Head title={t("audit.title")} about={t("audit.intro")} />
      <Shown of={first} lines={8}>
        {({ items }) => (
          <Card flush>
            {items.length
              ? <DataTable label={t("audit.title")} columns={columns()} rows={[...items, ...older.value]}
                key_of={(row) => String(row.id)} onOpen={(row) => { open.value = row; }} busy={busy.value} more={cursor.value && !busy.value ? () => void more() : null} />
              : <Empty icon="audit">{t("audit.empty")}</Empty>}
          </Card>
        )}
      </Shown>
      {open.value && <Whole row={open.value} onClose={() => { open.value = null; }} />}
    </>
  );
}

/** One change with all that stood before and after. */
function Whole({ row, onClose }: { row: Change; onClose: () => void }) {
  return (
    <Drawer title={row.action} onClose={onClose}>
      <Facts rows={[
        [t("audit.at"), when(row.at, "full")],
        [t("audit.who"), row.who],
        [t("access.session_from"), row.from],
        [t("audit.object"), row.object || "—"],
        [t("audit.change"), <div class="reply">{differences(row.before, row.after).join("\n") || "—"}</div>],
      ]} />
    </Drawer>
  );
}
