// The way in.  The server says the same of an unknown user and of a wrong password.
import { useSignal } from "@preact/signals";
import { duration } from "../core/format";
import { t } from "../core/i18n";
import { as_problem } from "../core/resource";
import { sign_in } from "../core/session";
import { Button } from "../ui/button";
import { Field, FaultSummary, use_order } from "../ui/form";
import { Entrance } from "../ui/entrance";
import { Card, Head } from "../ui/head";
import { Notice } from "../ui/states";
import { use_countdown } from "../ui/countdown";

export default function Login() {
  const user = useSignal(""), password = useSignal(""), code = useSignal("");
  const wants_code = useSignal(false);
  const wait = use_countdown();

  const order = use_order(async () => {
    try {
      await sign_in(user.value, password.value, code.value.trim() || undefined);
    } catch (error) {
      const problem = as_problem(error);
      if (problem.code === "too_many_tries") return wait.begin(Number(problem.params.seconds) || 1);
      const is_first = problem.code === "second_factor_needed" && !wants_code.value;
      if (problem.code === "second_factor_needed") wants_code.value = true;
      if (!is_first) throw problem;
    }
  });

  return (
    <Entrance>
      <Head title={t("login.title")} />
      <Card>
        <form class="stack" noValidate onSubmit={(event) => {
          event.preventDefault();
          const filled = new FormData(event.currentTarget); // by a password manager too, which tells nobody
          user.value = String(filled.get("username"));
          password.value = String(filled.get("password"));
          if (user.value && password.value) void order.run();
        }}>
          {wait.left > 0
            ? <div role="alert"><Notice tone="warn" icon="warning">{t("login.wait", { time: duration(wait.left) })}</Notice></div>
            : <FaultSummary problem={order.problem} />}
          <Field label={t("login.user")} value={user.value} name="username" autocomplete="username" focus
            onInput={(text) => { user.value = text; }} />
          <Field label={t("login.password")} value={password.value} name="password" type="password"
            autocomplete="current-password" onInput={(text) => { password.value = text; }} />
          {wants_code.value && (
            <Field label={t("login.code")} value={code.value} name="code" autocomplete="one-time-code" focus
              hint={t("login.code_needed")} onInput={(text) => { code.value = text; }} />
          )}
          <Button kind="primary" submit busy={order.busy} disabled={wait.left > 0}>
            {t("login.button")}
          </Button>
        </form>
      </Card>
      <p class="muted small">{t("login.forgotten")} <code class="nowrap">staffetta admin reset</code></p>
    </Entrance>
  );
}
