import { type Page, remove } from "../core/api";
import { ago, when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { browser_of, type OpenSession } from "../lib/access";
import { Button } from "../ui/button";
import { Card } from "../ui/head";
import { Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { complain, say } from "../ui/toast";

export function Sessions() {
  const sessions = use_resource<Page<OpenSession>>("/sessions");
  const end = (row: OpenSession) => {
    remove(`/sessions/${row.id}`).then(() => { sessions.reload(); say(t("access.session_ended")); }, complain);
  };
  const columns: Column<OpenSession>[] = [
    { key: "user", title: t("users.name"), card: "title",
      cell: (row) => <><b>{row.user}</b>{row.current && <span class="muted"> · {t("access.session_current")}</span>}</> },
    { key: "from", title: t("access.session_from"), cell: (row) => <code>{row.from}</code> },
    { key: "agent", title: t("access.agent"), from: "middle", cell: (row) => browser_of(row.agent) },
    { key: "begun", title: t("users.created"), from: "middle", cell: (row) => when(row.created) },
    { key: "seen", title: t("access.session_seen"), cell: (row) => ago(row.last_seen) },
    { key: "do", title: "", width: "7rem", num: true, card: "state",
      cell: (row) => !row.current && <Button small onClick={() => end(row)}>{t("access.session_end")}</Button> },
  ];
  return (
    <Shown of={sessions}>
      {({ items }) => (
        <Card flush title={t("access.sessions")}>
          <DataTable label={t("access.sessions")} columns={columns} rows={items} key_of={(row) => String(row.id)} />
        </Card>
      )}
    </Shown>
  );
}
