// Addresses that send without a password.
import { useSignal } from "@preact/signals";
import { type Page, part, post, remove } from "../core/api";
import { number } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { may } from "../core/signals";
import { host_bits, is_wide } from "../lib/cidr";
import type { User } from "../lib/users";
import { Button } from "../ui/button";
import { Confirm } from "../ui/sure";
import { FormDialog } from "../ui/dialog";
import { Choice, FaultSummary, Field, use_order } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Empty, Notice, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { say } from "../ui/toast";
import { user_place } from "./users";

interface Network {
  network: string;
  user: string | null;
}

export default function Networks() {
  const networks = use_resource<Page<Network>>("/networks");
  const adding = useSignal(false);
  const leaving = useSignal<Network | null>(null);
  const add = may("admin") && <Button kind="primary" icon="plus" onClick={() => { adding.value = true; }}>{t("networks.add")}</Button>;
  const columns: Column<Network>[] = [
    { key: "network", title: t("networks.network"), card: "title", cell: (row) => <code>{row.network}</code> },
    { key: "user", title: t("networks.user"), cell: (row) => row.user ? <a href={user_place(row.user)}>{row.user}</a> : "—" },
  ];
  if (may("admin"))
    columns.push({ key: "do", title: "", width: "8rem", num: true, card: "state", cell: (row) => (
      <Button small onClick={() => { leaving.value = row; }}>{t("networks.remove")}</Button>
    ) });
  return (
    <>
      <Head title={t("networks.title")} about={t("networks.intro")}>{add}</Head>
      <Shown of={networks}>
        {({ items }) => (
          <Card flush>
            {items.length
              ? <DataTable label={t("networks.title")} columns={columns} rows={items} key_of={(row) => row.network} />
              : <Empty icon="networks" action={add}>{t("networks.empty")}</Empty>}
          </Card>
        )}
      </Shown>
      {adding.value && <AddNetwork onClose={() => { adding.value = false; }} onAdded={networks.reload} />}
      {leaving.value && <Leave row={leaving.value} onClose={() => { leaving.value = null; }} reload={networks.reload} />}
    </>
  );
}

function Leave({ row, onClose, reload }: { row: Network; onClose: () => void; reload: () => void }) {
  const order = async () => {
    await remove(`/networks/${part(row.network)}`);
    reload();
    say(t("networks.removed", { network: row.network }),
      { until: Date.now() + 60_000, undo: () => post("/networks", row).then(reload) });
  };
  return (
    <Confirm title={t("networks.delete_title", { network: row.network })} verb={t("networks.remove")} order={order} onClose={onClose}>
      {t("networks.delete_text")}
    </Confirm>
  );
}

function AddNetwork({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const users = use_resource<Page<User>>("/users");
  const network = useSignal(""), user = useSignal("");
  const names = (users.data?.items ?? []).map((one) => one.name);
  const owner = user.value || names[0] || "";
  const order = use_order(async () => {
    await post("/networks", { network: network.value.trim(), user: owner });
    say(t("networks.added", { network: network.value.trim() }));
    onAdded();
    onClose();
  });
  return (
    <FormDialog title={t("networks.add")} submit={t("networks.add")} onClose={onClose} busy={order.busy}
      disabled={!network.value.trim() || !owner} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <Field label={t("networks.network")} value={network.value} mono focus hint={t("networks.network_hint")} name="network"
        onInput={(text) => { network.value = text; }} />
      <Shown of={users} lines={1}>
        {() => names.length === 0
          ? <Notice tone="warn" icon="warning">{t("networks.needs_user")}</Notice>
          : <Choice label={t("networks.user")} value={owner} options={names.map((name) => [name, name])}
            onPick={(name) => { user.value = name; }} />}
      </Shown>
      {is_wide(network.value) && (
        <Notice tone="warn" icon="warning">
          {t("networks.wide", { n: number(2 ** (host_bits(network.value) ?? 0)), user: owner })}
        </Notice>
      )}
    </FormDialog>
  );
}
