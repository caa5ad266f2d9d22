// One's own account: password, second factor, and an SMTP user's passwords for programs.
import { useSignal } from "@preact/signals";
import { post } from "../core/api";
import { t } from "../core/i18n";
import { session } from "../core/signals";
import { SHORTEST } from "../lib/passwords";
import { Button } from "../ui/button";
import { FaultSummary, Field, use_order } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Preferences } from "../ui/user_menu";
import { say } from "../ui/toast";
import { AppPasswords } from "./account_app_passwords";
import { SecondFactor } from "./account_second_factor";

export default function Account() {
  const who = session.value;
  return (
    <>
      <Head title={t("account.title")} about={who?.user} />
      <div class="columns">
        <Card title={t("account.password")}><Password /></Card>
        {who?.kind === "admin" && <Card title={t("account.totp")}><SecondFactor /></Card>}
        <Card title={t("account.preferences")}><div class="stack"><Preferences /></div></Card>
      </div>
      {who?.kind === "user" && <AppPasswords />}
    </>
  );
}

function Password() {
  const old = useSignal(""), fresh = useSignal("");
  const order = use_order(async () => {
    await post("/me/password", { password: old.value, new_password: fresh.value });
    old.value = fresh.value = "";
    say(t("account.changed"));
  });
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); void order.run(); }}>
      <FaultSummary problem={order.problem} />
      <Field label={t("account.old_password")} type="password" autocomplete="current-password" name="old" value={old.value}
        onInput={(text) => { old.value = text; }} />
      <Field label={t("account.new_password")} type="password" autocomplete="new-password" name="new" value={fresh.value}
        hint={session.value?.kind === "admin" ? t("setup.admin.password_hint") : undefined}
        onInput={(text) => { fresh.value = text; }} />
      <div>
        <Button kind="primary" submit busy={order.busy}
          disabled={!old.value || !fresh.value || (session.value?.kind === "admin" && [...fresh.value].length < SHORTEST)}>
          {t("account.change")}
        </Button>
      </div>
    </form>
  );
}
