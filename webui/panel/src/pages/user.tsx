// One SMTP user: state, quota, program, limits.
import { useSignal } from "@preact/signals";
import { type Page, part, post, remove } from "../core/api";
import { ago, number, percent, UNKNOWN, when } from "../core/format";
import { t } from "../core/i18n";
import { type Resource, use_resource } from "../core/resource";
import { go } from "../core/router";
import { may } from "../core/signals";
import { listeners_of, port_for } from "../lib/listeners";
import { setting, type Setting } from "../lib/settings";
import { state_of, type User } from "../lib/users";
import type { PageProps } from "../pages";
import { Button } from "../ui/button";
import { Confirm } from "../ui/sure";
import { Card, Facts, Head } from "../ui/head";
import { ProgramCard } from "../ui/program_card";
import { QuotaBars } from "../ui/quota";
import { SecretDialog } from "../ui/secret";
import { Notice, Shown } from "../ui/states";
import { complain, say } from "../ui/toast";
import { UserForm } from "./user_form";
import { UserPill } from "./users";

export default function UserPage({ params }: PageProps) {
  const name = params.name!;
  const user = use_resource<User>(`/users/${part(name)}`);
  const settings = use_resource<Page<Setting>>("/config");
  return (
    <>
      <Head title={name}>{user.data && <Actions user={user.data} reload={user.reload} />}</Head>
      <Shown of={user}>
        {(found) => (
          <>
            {found.braked && (
              <Notice tone="bad" icon="warning">
                <p><b>{t("users.braked", { reason: found.braked_reason })}</b></p>
                <p>{t("users.braked_hint")}</p>
              </Notice>
            )}
            <div class="columns">
              <div class="stack">
                <Card title={t("users.overview")}><State user={found} /></Card>
                <Card title={t("users.quota")}><QuotaBars used={found.used} quotas={found.quotas} /></Card>
              </div>
              <Card title={t("card.title")}><Programs user={found} settings={settings} /></Card>
            </div>
            {may("admin") && <UserForm key={found.name} user={found} onSaved={user.reload} />}
          </>
        )}
      </Shown>
    </>
  );
}

function State({ user }: { user: User }) {
  return (
    <Facts rows={[
      [t("users.state"), <UserPill user={user} />],
      [t("users.senders"), user.senders.map((sender) => <div key={sender} class="break">{sender}</div>)],
      [t("users.networks"), user.networks.length ? user.networks.map((one) => <div key={one}><code>{one}</code></div>)
        : t("users.no_networks")],
      [t("users.last_used"), user.last_used ? <span title={when(user.last_used, "full")}>{ago(user.last_used)}</span> : t("users.never")],
      [t("users.created"), when(user.created, "date")],
      [t("destinations.queued"), number(user.queued)],
      [t("destinations.held"), number(user.held)],
      [t("users.bounces"), user.day ? `${percent(user.day.bounce_percent === null ? null : user.day.bounce_percent / 100)} · ${
        t("users.bounces_of", { bounced: number(user.day.bounced), all: number(user.day.bounced + user.day.delivered) })}` : UNKNOWN],
    ]} />
  );
}

export function account_of(user: User, settings: Setting[]) {
  const listeners = listeners_of(settings);
  return {
    host: setting(settings, null, "hostname") || location.hostname, user: user.name,
    sender: user.senders.find((sender) => sender.includes("@")) ?? user.name,
    starttls: port_for(listeners, "starttls", 587), implicit: port_for(listeners, "implicit", 465),
    password: user.password,
  };
}

export function Programs({ user, settings }: { user: User; settings: Resource<Page<Setting>> }) {
  return <Shown of={settings}>{({ items }) => <ProgramCard account={account_of(user, items)} watch />}</Shown>;
}

function Actions({ user, reload }: { user: User; reload: () => void }) {
  const asking = useSignal<"" | "password" | "delete">("");
  const secret = useSignal<string | null>(null);
  const path = `/users/${part(user.name)}`;
  const close = () => { asking.value = ""; };
  const is_on = state_of(user) !== "disabled" && user.enabled;

  const flip = async (on: boolean): Promise<void> => {
    await post(`${path}:${on ? "enable" : "disable"}`);
    reload();
    say(t(on ? "users.enabled" : "users.disabled", { name: user.name }),
      { until: Date.now() + 20_000, undo: () => post(`${path}:${on ? "disable" : "enable"}`).then(reload) });
  };
  return (
    <>
      {may("admin") && <Button icon="access" onClick={() => { asking.value = "password"; }}>{t("users.new_password")}</Button>}
      {may("operator") && (
        <Button icon={is_on ? "pause" : "play"} onClick={() => { flip(!is_on).catch(complain); }}>
          {t(is_on ? "users.disable" : "users.enable")}
        </Button>
      )}
      {may("admin") && <Button kind="danger" icon="bin" onClick={() => { asking.value = "delete"; }}>{t("users.delete")}</Button>}
      {asking.value === "password" && (
        <Confirm title={t("users.new_password")} verb={t("users.new_password")} onClose={close}
          order={async () => { secret.value = (await post<User>(`${path}:password`, { generate: true })).password ?? ""; }}>
          {t("users.new_password_text")}
        </Confirm>
      )}
      {asking.value === "delete" && (
        <Confirm title={t("users.delete_title", { name: user.name })} verb={t("users.delete")} onClose={close}
          order={async () => {
            await remove(path);
            go("/users");
            say(t("users.deleted", { name: user.name }));
          }}>
          {t("users.delete_text")}
        </Confirm>
      )}
      {secret.value !== null && (
        <SecretDialog title={t("users.new_password")} secret={secret.value} warning={t("users.password_once")}
          onClose={() => { secret.value = null; }} />
      )}
    </>
  );
}
