// Limits and options of a user: only what was changed is sent.
import { useSignal } from "@preact/signals";
import { part, post } from "../core/api";
import { t, word } from "../core/i18n";
import { changed, CHOICES, LIMITS, lines_of, options_of, SWITCHES, type User } from "../lib/users";
import { Button } from "../ui/button";
import { Check, Choice, FaultSummary, Field, use_order } from "../ui/form";
import { Card } from "../ui/head";
import { say } from "../ui/toast";

export function UserForm({ user, onSaved }: { user: User; onSaved: () => void }) {
  const before = options_of(user);
  const after = useSignal(before);
  const senders = useSignal(user.senders.join("\n"));
  const put = (name: string, value: string) => { after.value = { ...after.value, [name]: value }; };
  const has_new_senders = lines_of(senders.value).join("\n") !== user.senders.join("\n");
  const options = changed(before, after.value);
  const is_changed = has_new_senders || Object.keys(options).length > 0;

  const save = use_order(async () => {
    await post(`/users/${part(user.name)}:options`, {
      ...(Object.keys(options).length ? { options } : {}),
      ...(has_new_senders ? { senders: lines_of(senders.value) } : {}),
    });
    say(t("users.saved"));
    onSaved();
  });

  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); if (is_changed) void save.run(); }}>
      <Card title={t("users.limits")}>
        <div class="stack">
          <p class="muted small">{t("users.limits_hint")}</p>
          <div class="fields few">
            {LIMITS.map((name) => (
              <Field key={name} label={word("limit", name)} value={after.value[name] ?? ""} inputmode="numeric"
                onInput={(value) => put(name, value)} />
            ))}
          </div>
        </div>
      </Card>
      <Card title={t("users.options")}>
        <div class="stack">
          <div class="fields">
            <Field label={t("users.senders_label")} value={senders.value} lines={3} mono hint={t("users.senders_hint")}
              onInput={(value) => { senders.value = value; }} />
            {Object.entries(CHOICES).map(([name, values]) => (
              <Choice key={name} label={word("option", name)} value={after.value[name] ?? ""}
                options={values.map((value) => [value, word(`option.${name}`, value)])} onPick={(value) => put(name, value)} />
            ))}
            <Field label={t("option.contact")} type="email" value={after.value.contact ?? ""} onInput={(value) => put("contact", value)} />
          </div>
          {SWITCHES.map((name) => (
            <Check key={name} label={word("option", name)} value={after.value[name] === "yes"}
              onToggle={(on) => put(name, on ? "yes" : "no")} />
          ))}
        </div>
      </Card>
      <FaultSummary problem={save.problem} />
      <div class="line">
        <Button kind="primary" submit busy={save.busy} disabled={!is_changed}>{t("users.save")}</Button>
        {!is_changed && <span class="muted small">{t("users.nothing_changed")}</span>}
      </div>
    </form>
  );
}
