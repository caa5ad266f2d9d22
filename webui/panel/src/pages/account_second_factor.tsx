// A second factor by an authenticator program (RFC 6238), and the codes for when it is lost.
import { useSignal } from "@preact/signals";
import { post } from "../core/api";
import { t } from "../core/i18n";
import { session } from "../core/signals";
import { Button } from "../ui/button";
import { CopyField } from "../ui/copy";
import { FormDialog } from "../ui/dialog";
import { FaultSummary, Field, use_order } from "../ui/form";
import { SecretDialog } from "../ui/secret";
import { StatePill } from "../ui/state";
import { ErrorBox } from "../ui/states";
import { say } from "../ui/toast";

interface Begun {
  secret: string;
  url: string;
}

function set_factor(second_factor: boolean): void {
  if (session.value) session.value = { ...session.value, second_factor };
}

export function SecondFactor() {
  const is_on = session.value?.second_factor ?? false;
  const begun = useSignal<Begun | null>(null), codes = useSignal<string[] | null>(null);
  const begin = use_order(async () => { begun.value = await post<Begun>("/me/totp:begin"); });
  const disable = use_order(async () => {
    await post("/me/totp:disable");
    set_factor(false);
    say(t("account.totp_disabled"));
  });
  return (
    <div class="stack">
      {(begin.problem ?? disable.problem) && <ErrorBox problem={(begin.problem ?? disable.problem)!} />}
      <div class="line">
        <StatePill state={is_on ? "active" : "disabled"} tone={is_on ? "delivered" : "plain"}
          text={t(is_on ? "access.second_factor.yes" : "access.second_factor.no")} />
      </div>
      <p class="muted">{t(is_on ? "account.totp_on" : "account.totp_off")}</p>
      <div>
        {is_on
          ? <Button busy={disable.busy} onClick={() => void disable.run()}>{t("account.totp_disable")}</Button>
          : <Button kind="primary" busy={begin.busy} onClick={() => void begin.run()}>{t("account.totp_begin")}</Button>}
      </div>
      {begun.value && (
        <Enable begun={begun.value} onClose={() => { begun.value = null; }}
          onDone={(recovery) => { begun.value = null; codes.value = recovery; set_factor(true); }} />
      )}
      {codes.value && <Recovery codes={codes.value} onClose={() => { codes.value = null; }} />}
    </div>
  );
}

function Enable({ begun, onClose, onDone }: { begun: Begun; onClose: () => void; onDone: (codes: string[]) => void }) {
  const code = useSignal("");
  const order = use_order(async () => {
    onDone((await post<{ recovery_codes: string[] }>("/me/totp:enable", { code: code.value.replace(/\s/g, "") })).recovery_codes);
  });
  return (
    <FormDialog title={t("account.totp")} submit={t("account.totp_enable")} onClose={onClose} busy={order.busy}
      disabled={!code.value.trim()} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <p>{t("account.totp_scan")}</p>
      <CopyField text={begun.secret} label={t("account.totp_secret")} />
      <p><a href={begun.url}>{t("account.totp_link")}</a></p>
      <Field label={t("account.totp_code")} value={code.value} inputmode="numeric" autocomplete="one-time-code" name="code"
        onInput={(text) => { code.value = text; }} />
    </FormDialog>
  );
}

function download(text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  link.download = "staffetta-recovery-codes.txt";
  link.click();
  URL.revokeObjectURL(link.href);
}

function Recovery({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  const text = codes.join("\n");
  return (
    <SecretDialog title={t("account.recovery")} secret={text} warning={t("account.recovery_text")} onClose={onClose}
      more={<div><Button icon="download" onClick={() => download(`${text}\n`)}>{t("account.download")}</Button></div>} />
  );
}
