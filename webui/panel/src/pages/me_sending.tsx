// An SMTP user's first page: what is used, what waits, what went.
import type { Page } from "../core/api";
import { ago, number } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { quotas_of, type Me, type Waiting } from "../lib/me";
import { state_of } from "../core/mail";
import { Card, Head } from "../ui/head";
import { QuotaBars } from "../ui/quota";
import { StatePill } from "../ui/state";
import { Empty, Notice, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";

const columns = (): Column<Waiting>[] => [
  { key: "id", title: t("nav.message"), width: "minmax(0, 1.2fr)", card: "title", cell: (row) => <code>{row.id}</code> },
  { key: "sender", title: t("card.from"), cell: (row) => row.sender },
  { key: "state", title: t("me.state"), width: "9rem", card: "state", cell: (row) => <StatePill state={state_of(row)} /> },
  { key: "n", title: t("me.recipients"), width: "8rem", num: true, cell: (row) => number(row.n_recipients) },
  { key: "arrived", title: t("me.at"), width: "10rem", num: true, cell: (row) => ago(row.arrived) },
];

export default function Sending() {
  const me = use_resource<Me>("/me", undefined, { every: 30_000 });
  const queue = use_resource<Page<Waiting>>("/me/queue", { limit: 100, recipients: 1 }, { every: 15_000 });
  const held = use_resource<Page<Waiting>>("/me/queue", { filter: "state:held", limit: 1, recipients: 1 }, { every: 30_000 });
  const n_held = held.data?.total ?? held.data?.items.length ?? 0;
  return (
    <>
      <Head title={t("me.sending")} about={me.data && t("me.sending_intro", { user: me.data.user })} />
      <Shown of={me}>
        {(found) => (
          <>
            {n_held > 0 && (
              <Notice tone="warn" icon="pause"><p><b>{t("me.held")}: {number(n_held)}</b></p><p>{t("me.held_text")}</p></Notice>
            )}
            <div class="columns">
              <Card title={t("me.used")}><QuotaBars used={found.used} quotas={quotas_of(found)} /></Card>
              <Card title={t("me.senders")}>
                <ul>{found.senders.map((sender) => <li key={sender} class="break">{sender}</li>)}</ul>
              </Card>
            </div>
          </>
        )}
      </Shown>
      <Shown of={queue} lines={3}>
        {({ items }) => (
          <Card flush title={t("me.waiting")}>
            {items.length ? <DataTable label={t("me.waiting")} columns={columns()} rows={items} key_of={(row) => row.id} />
              : <Empty>{t("me.waiting_empty")}</Empty>}
          </Card>
        )}
      </Shown>
    </>
  );
}
