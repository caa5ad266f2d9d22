// One domain: its keys, what to publish, and what DNS has.
import { useSignal } from "@preact/signals";
import { type Page, part, post, remove } from "../core/api";
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { go } from "../core/router";
import { may } from "../core/signals";
import { dmarc_record, spf_record } from "../lib/dns";
import { type Domain, type Key, type KeyCheck, new_selector } from "../lib/domains";
import { setting, type Setting } from "../lib/settings";
import type { PageProps } from "../pages";
import { Button } from "../ui/button";
import { Confirm } from "../ui/sure";
import { FormDialog } from "../ui/dialog";
import { Check, Choice, FaultSummary, Field, use_order } from "../ui/form";
import { Card, Head } from "../ui/head";
import { Records, type Titled } from "../ui/records";
import { StatePill, type Tone } from "../ui/state";
import { Empty, ErrorBox, Notice, Shown } from "../ui/states";
import { complain, say } from "../ui/toast";

interface Checked {
  items: KeyCheck[];
  ok: boolean;
  at: number;
}

const tones: Record<KeyCheck["finding"], Tone> = { ok: "delivered", missing: "deferred", differs: "bounced", dns_failed: "plain" };

export default function DomainPage({ params }: PageProps) {
  const name = params.name!;
  const domain = use_resource<Domain>(`/domains/${part(name)}`);
  const settings = use_resource<Page<Setting>>("/config");
  const asking = useSignal<"" | "key" | "delete">("");
  const close = () => { asking.value = ""; };
  const host = setting(settings.data?.items ?? [], null, "hostname") || location.hostname;
  return (
    <>
      <Head title={name}>
        {may("admin") && <Button icon="plus" onClick={() => { asking.value = "key"; }}>{t("domains.new_key")}</Button>}
        {may("admin") && <Button kind="danger" icon="bin" onClick={() => { asking.value = "delete"; }}>{t("domains.delete")}</Button>}
      </Head>
      <Shown of={domain}>
        {(found) => (
          <>
            <Keys domain={found} onNew={() => { asking.value = "key"; }} />
            <Card title={t("domains.advice")}><Advice domain={found.name} host={host} follows={found.keys.length > 0} /></Card>
            {may("admin") && <Card><Signing domain={found} reload={domain.reload} /></Card>}
            {asking.value === "key" && <NewKey keys={found.keys} domain={found.name} onClose={close} reload={domain.reload} />}
          </>
        )}
      </Shown>
      {asking.value === "delete" && (
        <Confirm title={t("domains.delete_title", { name })} verb={t("domains.delete")} onClose={close}
          order={async () => {
            await remove(`/domains/${part(name)}`);
            go("/domains");
            say(t("domains.deleted", { name }));
          }}>
          {t("domains.delete_text")}
        </Confirm>
      )}
    </>
  );
}

function Keys({ domain, onNew }: { domain: Domain; onNew: () => void }) {
  const checked = useSignal<Checked | null>(null);
  const check = use_order(async () => {
    checked.value = { ...await post<Omit<Checked, "at">>(`/domains/${part(domain.name)}:check`), at: Date.now() };
  });
  if (!domain.keys.length)
    return (
      <Card>
        <Empty icon="access" action={may("admin") && <Button kind="primary" icon="plus" onClick={onNew}>{t("domains.new_key")}</Button>}>
          {t("domains.no_keys")}
        </Empty>
      </Card>
    );
  const found = (key: Key) => checked.value?.items.find((one) => one.record_name === key.record_name);
  return (
    <Card title={t("domains.records")} actions={
      may("operator") && <Button icon="retry" busy={check.busy} onClick={() => void check.run()}>
        {t(check.busy ? "domains.checking" : "domains.check")}
      </Button>
    }>
      <div class="stack">
        <p class="muted">{t("domains.records_intro")}</p>
        {check.problem && <ErrorBox problem={check.problem} />}
        <div role="status" class="stack tight">
          {checked.value && <p class="muted small">{t("domains.checked", { when: when(checked.value.at / 1000, "clock") })}</p>}
          {checked.value?.ok && <Notice tone="good" icon="check">{t("domains.all_ok")}</Notice>}
        </div>
        <Records zone={domain.name} records={domain.keys.map((key) => record_of(key, found(key)))} />
      </div>
    </Card>
  );
}

function record_of(key: Key, found?: KeyCheck): Titled {
  return {
    name: key.record_name, value: key.value,
    title: (
      <>
        <h3>DKIM · {key.selector} · {key.type === "rsa" ? "RSA 2048" : "Ed25519"}</h3>
        <StatePill state={key.active ? "active" : "pending"} text={t(key.active ? "domains.key_active" : "domains.key_waiting")} />
        {found && <StatePill state={found.finding} tone={tones[found.finding]} text={t(`domains.finding.${found.finding}`)} />}
      </>
    ),
    found: found?.finding === "differs" ? found.found : undefined,
    hint: found && found.finding !== "ok" ? [t(`domains.finding_hint.${found.finding}`), found.why].filter(Boolean).join(" · ") : undefined,
  };
}

function Advice({ domain, host, follows }: { domain: string; host: string; follows: boolean }) {
  return (
    <Records zone={domain} follows={follows} records={[
      { ...spf_record(domain, host), title: <h3>SPF</h3>, hint: t("domains.spf_hint", { part: `a:${host}` }) },
      { ...dmarc_record(domain), title: <h3>DMARC</h3>, hint: t("domains.dmarc_hint") },
    ]} />
  );
}

function Signing({ domain, reload }: { domain: Domain; reload: () => void }) {
  const set = async (requires_signing: boolean) => {
    await post(`/domains/${part(domain.name)}:options`, { requires_signing });
    say(t("users.saved"));
    reload();
  };
  return <Check label={t("domains.requires_signing")} value={domain.requires_signing} onToggle={(on) => { set(on).catch(complain); }} />;
}

function NewKey({ domain, keys, onClose, reload }: { domain: string; keys: Key[]; onClose: () => void; reload: () => void }) {
  const selector = useSignal(new_selector(keys, new Date()));
  const type = useSignal<"both" | "rsa2048" | "ed25519">("both");
  const order = use_order(async () => {
    await post("/dkim", { domain, selector: selector.value.trim(), type: type.value });
    reload();
    onClose();
  });
  return (
    <FormDialog title={t("domains.new_key")} submit={t("domains.make")} onClose={onClose} busy={order.busy}
      disabled={!selector.value.trim()} onSubmit={() => void order.run()}>
      <FaultSummary problem={order.problem} />
      <Field label={t("domains.selector")} value={selector.value} mono focus hint={t("domains.selector_hint")}
        onInput={(text) => { selector.value = text; }} />
      <Choice label={t("domains.key_type")} value={type.value} onPick={(name) => { type.value = name; }}
        options={(["both", "rsa2048", "ed25519"] as const).map((name) => [name, t(`domains.key_type.${name}`)])} />
    </FormDialog>
  );
}
