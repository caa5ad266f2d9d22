// A new SMTP user: name and senders, then the password, once, with what to do with it.
import { useSignal } from "@preact/signals";
import { post } from "../core/api";
import { t } from "../core/i18n";
import { lines_of, type User } from "../lib/users";
import { ButtonLink } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { FaultSummary, Field, use_order } from "../ui/form";
import { SecretDialog } from "../ui/secret";
import { user_place } from "./users";

/** Fields and order, used by the wizard too. */
export function use_new_user(onAdded: (user: User) => void) {
  const name = useSignal(""), senders = useSignal(""), touched = useSignal(false);
  const order = use_order(async () => {
    onAdded(await post<User>("/users", { name: name.value.trim(), senders: lines_of(senders.value), generate: true }));
  });
  const fields = (
    <>
      <FaultSummary problem={order.problem} />
      <Field label={t("users.name")} value={name.value} required focus hint={t("users.name_hint")} name="user"
        onInput={(text) => {
          name.value = text;
          if (!touched.value) senders.value = text.includes("@") ? text.trim() : "";
        }} />
      <Field label={t("users.senders_label")} value={senders.value} lines={3} mono hint={t("users.senders_hint")} name="senders"
        onInput={(text) => { senders.value = text; touched.value = true; }} />
      <p class="muted small">{t("users.password_made")}</p>
    </>
  );
  return { fields, order, ready: name.value.trim() !== "" && lines_of(senders.value).length > 0 };
}

export function AddUser({ onClose, onAdded }: { onClose: () => void; onAdded: () => void }) {
  const made = useSignal<User | null>(null);
  const form = use_new_user((user) => {
    made.value = user;
    onAdded();
  });
  if (made.value)
    return (
      <SecretDialog title={t("users.created_title", { name: made.value.name })} secret={made.value.password ?? ""}
        warning={t("users.password_once")} onClose={onClose}
        more={<p><ButtonLink href={user_place(made.value.name)} icon="setup">{t("card.title")}</ButtonLink></p>} />
    );
  return (
    <FormDialog title={t("users.add")} submit={t("users.add")} onClose={onClose} busy={form.order.busy}
      disabled={!form.ready} onSubmit={() => void form.order.run()}>
      {form.fields}
    </FormDialog>
  );
}
