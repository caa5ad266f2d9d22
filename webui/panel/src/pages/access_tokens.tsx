// Tokens for programs: what they may, until when, and from where.
import { useSignal } from "@preact/signals";
import { type Page, post, remove } from "../core/api";
import { ago, when } from "../core/format";
import { t, word } from "../core/i18n";
import { use_resource } from "../core/resource";
import { AREAS, READ_ONLY, type Token } from "../lib/access";
import { lines_of } from "../lib/users";
import { Button } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { Choice, FaultSummary, Field, use_order } from "../ui/form";
import { Card } from "../ui/head";
import { SecretDialog } from "../ui/secret";
import { Empty, Shown } from "../ui/states";
import { Confirm } from "../ui/sure";
import { type Column, DataTable } from "../ui/table";
import { say } from "../ui/toast";

export function Tokens() {
  const tokens = use_resource<Page<Token>>("/tokens");
  const adding = useSignal(false), leaving = useSignal<Token | null>(null), made = useSignal<Token | null>(null);
  const add = <Button icon="plus" onClick={() => { adding.value = true; }}>{t("access.add_token")}</Button>;
  const columns: Column<Token>[] = [
    { key: "name", title: t("access.name"), card: "title", cell: (row) => <b>{row.name}</b> },
    { key: "scopes", title: t("access.scopes"), width: "minmax(0, 1.6fr)", cell: (row) => <code>{row.scopes.join(" ")}</code> },
    { key: "expires", title: t("access.expires"), cell: (row) => row.expires ? when(row.expires, "date") : t("access.expires_never") },
    { key: "used", title: t("account.last_used"), from: "middle", cell: (row) => row.last_used ? ago(row.last_used) : t("users.never") },
    { key: "do", title: "", width: "7rem", num: true, card: "state",
      cell: (row) => <Button small onClick={() => { leaving.value = row; }}>{t("access.revoke")}</Button> },
  ];
  return (
    <>
      <Shown of={tokens}>
        {({ items }) => (
          <Card flush title={t("access.tokens")} actions={items.length > 0 && add}>
            {items.length
              ? <DataTable label={t("access.tokens")} columns={columns} rows={items} key_of={(row) => String(row.id)} />
              : <Empty icon="access" action={add}>{t("access.token_empty")}</Empty>}
          </Card>
        )}
      </Shown>
      {adding.value && (
        <AddToken onClose={() => { adding.value = false; }}
          onMade={(token) => { adding.value = false; made.value = token; tokens.reload(); }} />
      )}
      {made.value && (
        <SecretDialog title={t("access.token_made", { name: made.value.name })} secret={made.value.secret ?? ""}
          warning={t("access.token_once")} onClose={() => { made.value = null; }} />
      )}
      {leaving.value && <Revoke token={leaving.value} onClose={() => { leaving.value = null; }} reload={tokens.reload} />}
    </>
  );
}

function Revoke({ token, onClose, reload }: { token: Token; onClose: () => void; reload: () => void }) {
  return (
    <Confirm title={t("access.revoke_title", { name: token.name })} verb={t("access.revoke")} onClose={onClose}
      order={async () => {
        await remove(`/tokens/${token.id}`);
        reload();
        say(t("access.revoked", { name: token.name }));
      }}>
      {t("access.revoke_text")}
    </Confirm>
  );
}

const DAYS = ["30", "90", "365", "never"] as const;
type Right = "" | "read" | "write";

function AddToken({ onClose, onMade }: { onClose: () => void; onMade: (token: Token) => void }) {
  const name = useSignal(""), networks = useSignal(""), days = useSignal<(typeof DAYS)[number]>("90");
  const rights = useSignal<Record<string, Right>>({});
  const scopes = Object.entries(rights.value).filter(([, right]) => right)
    .flatMap(([area, right]) => right === "write" ? [`${area}:read`, `${area}:write`] : [`${area}:read`]);
  const order = use_order(async () => {
    const from = lines_of(networks.value);
    onMade(await post<Token>("/tokens", {
      name: name.value.trim(), scopes,
      ...(days.value === "never" ? {} : { expires_seconds: Number(days.value) * 86_400 }),
      ...(from.length ? { networks: from } : {}),
    }));
  });
  return (
    <FormDialog title={t("access.add_token")} submit={t("access.add_token")} onClose={onClose} busy={order.busy}
      disabled={!name.value.trim() || !scopes.length} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <Field label={t("access.name")} value={name.value} focus name="name" onInput={(text) => { name.value = text; }} />
      <fieldset>
        <legend>{t("access.scopes")}</legend>
        <div class="fields rights">
          {AREAS.map((area) => (
            <Choice<Right> key={area} label={word("access.area", area)} value={rights.value[area] ?? ""}
              onPick={(right) => { rights.value = { ...rights.value, [area]: right }; }}
              options={([["", "—"], ["read", t("access.read")], ["write", t("access.write")]] as [Right, string][])
                .filter(([right]) => right !== "write" || !READ_ONLY.includes(area))} />
          ))}
        </div>
      </fieldset>
      <Choice label={t("access.expires")} value={days.value} onPick={(to) => { days.value = to; }}
        options={DAYS.map((day) => [day, day === "never" ? t("access.expires_never") : word("access.expires", day)])} />
      <Field label={t("access.token_networks")} value={networks.value} lines={2} mono hint={t("access.token_networks_hint")}
        onInput={(text) => { networks.value = text; }} />
    </FormDialog>
  );
}
