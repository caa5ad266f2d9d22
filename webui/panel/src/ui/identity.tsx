// "Show again that it is you": asked when the server answers confirm_first, then the order goes on.
import { useSignal } from "@preact/signals";
import { post } from "../core/api";
import { t } from "../core/i18n";
import { confirmation, session } from "../core/signals";
import { FormDialog } from "./dialog";
import { Field, use_order } from "./form";

export function ConfirmIdentity() {
  return confirmation.value && <Question answer={confirmation.value} />;
}

function Question({ answer }: { answer: (confirmed: boolean) => void }) {
  const password = useSignal("");
  const code = useSignal("");
  const end = (confirmed: boolean) => {
    confirmation.value = null;
    answer(confirmed);
  };
  const order = use_order(async () => {
    await post("/session:confirm", { password: password.value, ...(code.value && { code: code.value }) });
    end(true);
  });
  return (
    <FormDialog title={t("confirm.title")} submit={t("do.confirm")} busy={order.busy} problem={order.problem}
      onClose={() => end(false)} onSubmit={() => void order.run()}>
      <p>{t("confirm.why")}</p>
      <Field label={t("field.password")} type="password" autocomplete="current-password" focus required
        value={password.value} onInput={(value) => { password.value = value; }} />
      {session.value?.second_factor && (
        <Field label={t("field.code")} autocomplete="one-time-code" inputmode="numeric" value={code.value}
          onInput={(value) => { code.value = value; }} />
      )}
    </FormDialog>
  );
}
