// First set-up, first half: the code of the log, and who will own this relay.  See setup_steps.tsx.
import { useSignal } from "@preact/signals";
import { post } from "../core/api";
import { duration } from "../core/format";
import { language, t } from "../core/i18n";
import { as_problem } from "../core/resource";
import { go } from "../core/router";
import { welcome } from "../core/session";
import type { Session } from "../core/signals";
import { password_fault } from "../lib/passwords";
import { Button } from "../ui/button";
import { use_countdown } from "../ui/countdown";
import { Entrance } from "../ui/entrance";
import { FaultSummary, Field, use_order } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Notice } from "../ui/states";

export const CODE_FILE = "/run/staffetta/setup-code";

export default function Setup() {
  const code = useSignal(""), user = useSignal(""), password = useSignal(""), again = useSignal("");
  const tried = useSignal(false);
  const wait = use_countdown();
  const fault = password_fault(password.value);
  const differs = password.value !== again.value;

  const order = use_order(async () => {
    tried.value = true;
    if (fault || differs) return;
    try {
      const made = await post<Session>("/setup",
        { code: code.value.trim(), user: user.value.trim(), password: password.value, language: language.value });
      go("/setup");
      await welcome(made);
    } catch (error) {
      const problem = as_problem(error);
      if (problem.code !== "too_many_tries") throw problem;
      wait.begin(Number(problem.params.seconds) || 1);
    }
  });

  return (
    <Entrance wide>
      <Head title={t("setup.title")} about={t("setup.code.intro")} />
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); void order.run(); }}>
        {wait.left > 0
          ? <div role="alert"><Notice tone="warn" icon="warning">{t("login.wait", { time: duration(wait.left) })}</Notice></div>
          : <FaultSummary problem={order.problem} />}
        <Card title={t("setup.step.code")}>
          <div class="stack">
            <p>{t("setup.code.where")} <code class="break">{CODE_FILE}</code></p>
            <Field label={t("setup.code.label")} value={code.value} mono focus name="code" hint={t("setup.code.hint")}
              onInput={(text) => { code.value = text; }} />
          </div>
        </Card>
        <Card title={t("setup.step.admin")}>
          <div class="stack">
            <p class="muted">{t("setup.admin.intro")}</p>
            <Field label={t("setup.admin.name")} value={user.value} name="username" autocomplete="username"
              onInput={(text) => { user.value = text; }} />
            <Field label={t("setup.admin.password")} type="password" value={password.value} name="password"
              autocomplete="new-password" hint={t("setup.admin.password_hint")} fault={tried.value ? fault : null}
              onInput={(text) => { password.value = text; }} />
            <Field label={t("setup.admin.again")} type="password" value={again.value} name="again"
              autocomplete="new-password" fault={tried.value && differs ? t("setup.admin.differs") : null}
              onInput={(text) => { again.value = text; }} />
          </div>
        </Card>
        <div class="line end">
          <Button kind="primary" submit busy={order.busy} disabled={wait.left > 0 || !code.value.trim() || !user.value.trim()}>
            {t("setup.next")}
          </Button>
        </div>
      </form>
    </Entrance>
  );
}
