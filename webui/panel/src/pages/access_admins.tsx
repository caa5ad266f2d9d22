import { useSignal } from "@preact/signals";
import { type Page, part, post, remove } from "../core/api";
import { ago } from "../core/format";
import { t, word } from "../core/i18n";
import { use_resource } from "../core/resource";
import { type Role, session } from "../core/signals";
import { type Admin, ROLES } from "../lib/access";
import { password_fault } from "../lib/passwords";
import { Button } from "../ui/button";
import { Drawer, FormDialog } from "../ui/dialog";
import { Choice, FaultSummary, Field, use_order } from "../ui/form";
import { Card, Facts } from "../ui/head";
import { StatePill } from "../ui/state";
import { Shown } from "../ui/states";
import { Confirm } from "../ui/sure";
import { type Column, DataTable } from "../ui/table";
import { complain, say } from "../ui/toast";

const role_options = (): [Role, string][] =>
  ROLES.map((role) => [role, `${word("role", role)}: ${word("access.role_text", role)}`]);

const columns = (): Column<Admin>[] => [
  { key: "name", title: t("access.name"), card: "title",
    cell: (row) => <><b>{row.name}</b>{row.name === session.value?.user && <span class="muted"> · {t("access.you")}</span>}</> },
  { key: "role", title: t("access.role"), cell: (row) => word("role", row.role) },
  { key: "factor", title: t("access.second_factor"), from: "middle",
    cell: (row) => t(row.second_factor ? "access.second_factor.yes" : "access.second_factor.no") },
  { key: "state", title: t("users.state"), width: "9rem", card: "state",
    cell: (row) => <StatePill state={row.enabled ? "active" : "disabled"} /> },
  { key: "last", title: t("access.last_login"), from: "middle", cell: (row) => row.last_login ? ago(row.last_login) : t("users.never") },
];

export function Admins() {
  const admins = use_resource<Page<Admin>>("/admins");
  const open = useSignal(""), adding = useSignal(false);
  const chosen = admins.data?.items.find(({ name }) => name === open.value);
  return (
    <>
      <Shown of={admins}>
        {({ items }) => (
          <Card flush title={t("access.admins")} actions={
            <Button icon="plus" onClick={() => { adding.value = true; }}>{t("access.add_admin")}</Button>
          }>
            <DataTable label={t("access.admins")} columns={columns()} rows={items} key_of={(row) => row.name}
              onOpen={(row) => { open.value = row.name; }} />
          </Card>
        )}
      </Shown>
      {adding.value && <AddAdmin onClose={() => { adding.value = false; }} reload={admins.reload} />}
      {chosen && <OneAdmin key={chosen.name} admin={chosen} onClose={() => { open.value = ""; }} reload={admins.reload} />}
    </>
  );
}

function PasswordField({ value, onInput }: { value: string; onInput: (text: string) => void }) {
  return <Field label={t("field.password")} type="password" autocomplete="new-password" value={value} onInput={onInput}
    hint={t("access.password_hint")} fault={value ? password_fault(value) : null} name="new-password" />;
}

function AddAdmin({ onClose, reload }: { onClose: () => void; reload: () => void }) {
  const name = useSignal(""), password = useSignal(""), role = useSignal<Role>("operator");
  const order = use_order(async () => {
    await post("/admins", { name: name.value.trim(), role: role.value, password: password.value });
    reload();
    onClose();
  });
  return (
    <FormDialog title={t("access.add_admin")} submit={t("access.add_admin")} onClose={onClose} busy={order.busy}
      disabled={!name.value.trim() || password_fault(password.value) !== null} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <Field label={t("access.name")} value={name.value} focus name="name" onInput={(text) => { name.value = text; }} />
      <Choice label={t("access.role")} value={role.value} options={role_options()} onPick={(to) => { role.value = to; }} />
      <PasswordField value={password.value} onInput={(text) => { password.value = text; }} />
    </FormDialog>
  );
}

function OneAdmin({ admin, onClose, reload }: { admin: Admin; onClose: () => void; reload: () => void }) {
  const path = `/admins/${part(admin.name)}`;
  const asking = useSignal<"" | "password" | "remove">("");
  const back = () => { asking.value = ""; };
  const act = (order: Promise<unknown>, done: string) => { order.then(() => { reload(); say(done); }, complain); };
  const is_self = admin.name === session.value?.user;
  if (asking.value === "password") return <NewPassword path={path} onClose={back} />;
  if (asking.value === "remove")
    return (
      <Confirm title={t("access.delete_admin_title", { name: admin.name })} verb={t("networks.remove")} onClose={back}
        order={async () => {
          await remove(path);
          reload();
          onClose();
          say(t("access.removed", { name: admin.name }));
        }}>
        {t("access.delete_admin_text")}
      </Confirm>
    );
  return (
    <Drawer title={admin.name} onClose={onClose}>
      <Facts rows={[
        [t("users.state"), <StatePill state={admin.enabled ? "active" : "disabled"} />],
        [t("access.second_factor"), t(admin.second_factor ? "access.second_factor.yes" : "access.second_factor.no")],
        [t("access.last_login"), admin.last_login ? ago(admin.last_login) : t("users.never")],
      ]} />
      {!is_self && (
        <>
          <Choice label={t("access.role")} value={admin.role} options={role_options()}
            onPick={(role) => act(post(`${path}:role`, { role }), t("access.role_saved", { name: admin.name, role: word("role", role) }))} />
          <div class="line">
            <Button icon="access" onClick={() => { asking.value = "password"; }}>{t("access.new_password")}</Button>
            <Button icon={admin.enabled ? "pause" : "play"}
              onClick={() => act(post(`${path}:${admin.enabled ? "disable" : "enable"}`), t("users.saved"))}>
              {t(admin.enabled ? "users.disable" : "users.enable")}
            </Button>
            <Button kind="danger" icon="bin" onClick={() => { asking.value = "remove"; }}>{t("networks.remove")}</Button>
          </div>
        </>
      )}
    </Drawer>
  );
}

function NewPassword({ path, onClose }: { path: string; onClose: () => void }) {
  const password = useSignal("");
  const order = use_order(async () => {
    await post(`${path}:password`, { password: password.value });
    say(t("users.saved"));
    onClose();
  });
  return (
    <FormDialog title={t("access.new_password")} submit={t("access.new_password")} onClose={onClose} busy={order.busy}
      disabled={password_fault(password.value) !== null} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <PasswordField value={password.value} onInput={(text) => { password.value = text; }} />
    </FormDialog>
  );
}
