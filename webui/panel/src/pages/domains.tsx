// Domains whose mail is signed.
import { useSignal } from "@preact/signals";
import { type Page, part, post } from "../core/api";
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { go } from "../core/router";
import { may } from "../core/signals";
import { type Domain, new_selector } from "../lib/domains";
import { Button } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { FaultSummary, Field, use_order } from "../ui/form";
import { Card, Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Empty, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";

export const domain_place = (name: string): string => `/domains/${part(name)}`;

const columns = (): Column<Domain>[] => [
  { key: "name", title: t("domains.name"), card: "title", cell: (row) => <a href={domain_place(row.name)}><b>{row.name}</b></a> },
  { key: "keys", title: t("domains.keys"), width: "14rem", cell: (row) => <KeyState domain={row} /> },
  { key: "signing", title: t("domains.signing"), from: "middle",
    cell: (row) => t(row.requires_signing ? "domains.signing.required" : "domains.signing.optional") },
  { key: "created", title: t("users.created"), width: "8rem", from: "middle", cell: (row) => when(row.created, "date") },
];

function KeyState({ domain }: { domain: Domain }) {
  if (!domain.keys.length) return <StatePill state="missing" tone="deferred" text={t("domains.no_keys")} />;
  const is_active = domain.keys.some((key) => key.active);
  return <StatePill state={is_active ? "active" : "pending"} text={t(is_active ? "domains.key_active" : "domains.key_waiting")} />;
}

export default function Domains() {
  const domains = use_resource<Page<Domain>>("/domains");
  const adding = useSignal(false);
  const add = may("admin") && <Button kind="primary" icon="plus" onClick={() => { adding.value = true; }}>{t("domains.add")}</Button>;
  return (
    <>
      <Head title={t("domains.title")} about={t("domains.intro")}>{add}</Head>
      <Shown of={domains}>
        {({ items }) => (
          <Card flush>
            {items.length
              ? <DataTable label={t("domains.title")} columns={columns()} rows={items} key_of={(row) => row.name} linked
                onOpen={(row) => go(domain_place(row.name))} />
              : <Empty icon="domains" action={add}>{t("domains.empty")}</Empty>}
          </Card>
        )}
      </Shown>
      {adding.value && <AddDomain onClose={() => { adding.value = false; }} />}
    </>
  );
}

/** The domain, then its keys; a second try goes on where the first one stopped. */
export function use_new_domain(onAdded: (domain: Domain) => void) {
  const name = useSignal("");
  const added = useSignal<Domain | null>(null);
  const order = use_order(async () => {
    const wanted = name.value.trim().toLowerCase();
    if (added.value?.name !== wanted) added.value = await post<Domain>("/domains", { name: wanted });
    const domain = added.value;
    const made = await post<Page<Domain["keys"][0]>>("/dkim",
      { domain: domain.name, selector: new_selector(domain.keys, new Date()), type: "both" });
    onAdded({ ...domain, keys: made.items });
  });
  const fields = (
    <>
      <FaultSummary problem={order.problem} />
      <Field label={t("domains.name")} value={name.value} focus name="domain" onInput={(text) => { name.value = text; }} />
      <p class="muted small">{t("domains.make_keys")}</p>
    </>
  );
  return { fields, order, ready: name.value.trim() !== "" };
}

function AddDomain({ onClose }: { onClose: () => void }) {
  const form = use_new_domain((domain) => go(domain_place(domain.name)));
  return (
    <FormDialog title={t("domains.add")} submit={t("domains.add")} onClose={onClose} busy={form.order.busy}
      disabled={!form.ready} onSubmit={() => void form.order.run()}>
      {form.fields}
    </FormDialog>
  );
}
