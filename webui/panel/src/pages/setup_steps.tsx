// First set-up, second half, as the owner: this relay, a domain, a user, a first message.
// Each step can wait; everything is in the ordinary pages too.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Page } from "../core/api";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { go, place, set_words } from "../core/router";
import type { Domain } from "../lib/domains";
import { listeners_of } from "../lib/listeners";
import { setting, type Setting } from "../lib/settings";
import type { User } from "../lib/users";
import { Button } from "../ui/button";
import { CopyField } from "../ui/copy";
import { keep_focus } from "../ui/focus";
import { Card, Facts, Head } from "../ui/head";
import { ProgramCard } from "../ui/program_card";
import { Records } from "../ui/records";
import { Notice, Shown } from "../ui/states";
import { use_new_domain } from "./domains";
import { account_of } from "./user";
import { use_new_user } from "./user_add";

const STEPS = ["service", "domain", "user", "test"] as const;
type Step = (typeof STEPS)[number];

const TLS_NAMES = { starttls: "STARTTLS", implicit: "TLS", none: "—" };

/** What earlier steps made, for the last one. */
interface Made {
  user: User | null;
  domain: Domain | null;
}

export default function SetupSteps() {
  const settings = use_resource<Page<Setting>>("/config");
  const made = useSignal<Made>({ user: null, domain: null });
  const step = (STEPS as readonly string[]).includes(place.value.words.get("step") ?? "")
    ? place.value.words.get("step") as Step : "service";
  const at = STEPS.indexOf(step);
  const to = (n: number) => (n < STEPS.length ? set_words({ step: STEPS[n]! }) : go("/"));
  const next = () => to(at + 1);
  useEffect(() => keep_focus(), [step, made.value]);
  const done = step === "service" || step === "test" || made.value[step] !== null;
  return (
    <>
      <Head title={t("setup.title")} about={t("setup.step", { n: at + 3, of: STEPS.length + 2 })} />
      <Steps at={at} />
      <div class="page-wide"><Shown of={settings}>
        {({ items }) => (
          <Card title={t(`setup.step.${step}`)}>
            {step === "service" && <Service settings={items} />}
            {step === "domain" && <FirstDomain made={made.value.domain} onMade={(domain) => { made.value = { ...made.value, domain }; }} />}
            {step === "user" && <FirstUser made={made.value.user} onMade={(user) => { made.value = { ...made.value, user }; }} />}
            {step === "test" && <Test user={made.value.user} settings={items} />}
          </Card>
        )}
      </Shown></div>
      <div class="line end page-wide">
        {at > 0 && <Button onClick={() => to(at - 1)}>{t("setup.back")}</Button>}
        <Button kind={done ? "primary" : undefined} onClick={next}>
          {t(step === "test" ? "setup.done" : done ? "setup.next" : "setup.later")}
        </Button>
      </div>
    </>
  );
}

function Steps({ at }: { at: number }) {
  const names = ["code", "admin", ...STEPS] as const;
  return (
    <ol class="steps">
      {names.map((name, i) => (
        <li key={name} aria-current={i === at + 2 ? "step" : undefined} class={i < at + 2 ? "past" : ""}>
          {t(`setup.step.${name}`)}
        </li>
      ))}
    </ol>
  );
}

function Service({ settings }: { settings: Setting[] }) {
  const listeners = listeners_of(settings);
  const certificate = setting(settings, "tls", "certificate");
  return (
    <div class="stack">
      <p class="muted">{t("setup.service.intro")}</p>
      <Facts rows={[
        [t("setup.service.name"), <><b>{setting(settings, null, "hostname") || location.hostname}</b><p class="muted small">{t("setup.service.name_hint")}</p></>],
        [t("setup.service.listeners"), listeners.length
          ? listeners.map((one) => <div key={one.title}><code>{one.addresses.join(", ")}</code> <span class="muted">{TLS_NAMES[one.tls]}</span></div>)
          : "—"],
        [t("setup.service.certificate"), certificate ? <code class="break">{certificate}</code> : "—"],
      ]} />
      {!listeners.length && <Notice tone="warn" icon="warning">{t("setup.service.no_listeners")}</Notice>}
      {!certificate && <Notice tone="warn" icon="warning">{t("setup.service.no_certificate")}</Notice>}
    </div>
  );
}

function FirstDomain({ made, onMade }: { made: Domain | null; onMade: (domain: Domain) => void }) {
  const form = use_new_domain(onMade);
  if (made)
    return (
      <div class="stack">
        <Notice tone="good" icon="check">{t("setup.domain.made")}</Notice>
        <Records zone={made.name} records={made.keys.map((key) => ({
          name: key.record_name, value: key.value, title: <h3>DKIM · {key.selector}</h3>,
        }))} />
      </div>
    );
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); if (form.ready) void form.order.run(); }}>
      <p class="muted">{t("setup.domain.intro")}</p>
      {form.fields}
      <div><Button kind="primary" submit icon="plus" busy={form.order.busy} disabled={!form.ready}>{t("setup.domain.make")}</Button></div>
    </form>
  );
}

function FirstUser({ made, onMade }: { made: User | null; onMade: (user: User) => void }) {
  const form = use_new_user(onMade);
  if (made)
    return (
      <div class="stack">
        <Notice tone="good" icon="check">{t("users.created_title", { name: made.name })}</Notice>
        <div class="stack tight"><h3>{t("field.password")}</h3><CopyField text={made.password ?? ""} label={t("users.new_password")} /></div>
        <p>{t("users.password_once")}</p>
      </div>
    );
  return (
    <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); if (form.ready) void form.order.run(); }}>
      <p class="muted">{t("setup.user.intro")}</p>
      {form.fields}
      <div><Button kind="primary" submit icon="plus" busy={form.order.busy} disabled={!form.ready}>{t("users.add")}</Button></div>
    </form>
  );
}

function Test({ user, settings }: { user: User | null; settings: Setting[] }) {
  if (!user) return <p class="muted">{t("setup.test.none")}</p>;
  return (
    <div class="stack">
      <p class="muted">{t("setup.test.intro")}</p>
      <ProgramCard account={account_of(user, settings)} watch />
    </div>
  );
}
