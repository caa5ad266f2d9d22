// A password for each program, so that one can be taken back alone.
import { useSignal } from "@preact/signals";
import { type Page, post, remove } from "../core/api";
import { ago, when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { Button } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { FaultSummary, Field, use_order } from "../ui/form";
import { Card } from "../ui/head";
import { SecretDialog } from "../ui/secret";
import { Empty, Shown } from "../ui/states";
import { Confirm } from "../ui/sure";
import { type Column, DataTable } from "../ui/table";
import { say } from "../ui/toast";

interface AppPassword {
  id: number;
  label: string;
  created: string | null;
  last_used: string | null;
  password?: string;
}

export function AppPasswords() {
  const passwords = use_resource<Page<AppPassword>>("/me/app-passwords");
  const adding = useSignal(false), made = useSignal<AppPassword | null>(null), leaving = useSignal<AppPassword | null>(null);
  const add = <Button icon="plus" onClick={() => { adding.value = true; }}>{t("account.app_add")}</Button>;
  const columns: Column<AppPassword>[] = [
    { key: "label", title: t("account.app_label"), card: "title", cell: (row) => <b>{row.label}</b> },
    { key: "created", title: t("users.created"), cell: (row) => when(row.created, "date") },
    { key: "used", title: t("account.last_used"), cell: (row) => row.last_used ? ago(row.last_used) : t("users.never") },
    { key: "do", title: "", width: "8rem", num: true, card: "state",
      cell: (row) => <Button small onClick={() => { leaving.value = row; }}>{t("networks.remove")}</Button> },
  ];
  return (
    <>
      <Shown of={passwords} lines={2}>
        {({ items }) => (
          <Card flush title={t("account.app_passwords")} actions={items.length > 0 && add}>
            {items.length
              ? <DataTable label={t("account.app_passwords")} columns={columns} rows={items} key_of={(row) => String(row.id)} />
              : <Empty icon="access" action={add}>{t("account.app_empty")} {t("account.app_intro")}</Empty>}
          </Card>
        )}
      </Shown>
      {adding.value && (
        <Add onClose={() => { adding.value = false; }}
          onMade={(one) => { adding.value = false; made.value = one; passwords.reload(); }} />
      )}
      {made.value && (
        <SecretDialog title={t("account.app_made", { label: made.value.label })} secret={made.value.password ?? ""}
          warning={t("users.password_once")} onClose={() => { made.value = null; }} />
      )}
      {leaving.value && (
        <Confirm title={t("account.app_revoke_title", { label: leaving.value.label })} verb={t("networks.remove")}
          onClose={() => { leaving.value = null; }}
          order={async () => {
            const { id, label } = leaving.value!;
            await remove(`/me/app-passwords/${id}`);
            passwords.reload();
            say(t("account.app_removed", { label }));
          }}>
          {t("account.app_revoke_text")}
        </Confirm>
      )}
    </>
  );
}

function Add({ onClose, onMade }: { onClose: () => void; onMade: (one: AppPassword) => void }) {
  const label = useSignal("");
  const order = use_order(async () => { onMade(await post<AppPassword>("/me/app-passwords", { label: label.value.trim() })); });
  return (
    <FormDialog title={t("account.app_add")} submit={t("account.app_add")} onClose={onClose} busy={order.busy}
      disabled={!label.value.trim()} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <p class="muted">{t("account.app_intro")}</p>
      <Field label={t("account.app_label")} value={label.value} focus name="label" onInput={(text) => { label.value = text; }} />
    </FormDialog>
  );
}
