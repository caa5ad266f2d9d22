// DNS records to publish, in the form that one's own provider wants.
import { signal } from "@preact/signals";
import { t, word } from "../core/i18n";
import { type Form, FORMS, in_form, PROVIDER_NAMES, type TxtRecord } from "../lib/dns";
import { CopyField } from "./copy";
import { Difference } from "./difference";
import { Choice } from "./form";

const kept = "dns-form";
const form = (): Form => {
  const found = localStorage.getItem(kept) as Form | null;
  return found && FORMS.includes(found) ? found : "plain";
};

export interface Titled extends TxtRecord {
  title: preact.ComponentChildren;
  hint?: string;
  /** What DNS has instead. */
  found?: string[] | undefined;
}

/** One choice for all the records on a page. */
const chosen = signal<Form>(form());

/** follows: the choice is made further up. */
export function Records({ records, zone, follows }: { records: Titled[]; zone: string; follows?: boolean }) {
  const pick = (name: Form) => {
    chosen.value = name;
    localStorage.setItem(kept, name);
  };
  return (
    <div class="stack">
      {!follows && (
        <div class="short-wide">
          <Choice label={t("domains.form")} value={chosen.value} onPick={pick}
            options={FORMS.map((name) => [name, PROVIDER_NAMES[name] ?? word("domains.form", name)])} />
        </div>
      )}
      {records.map((record) => <Record key={record.name} record={record} zone={zone} form={chosen.value} />)}
    </div>
  );
}

function Record({ record, zone, form }: { record: Titled; zone: string; form: Form }) {
  const { name, value } = in_form(form, record, zone);
  return (
    <section class="record stack tight">
      <div class="line">{record.title}</div>
      {form === "bind"
        ? <CopyField text={value} label={t("domains.line")} lines />
        : (
          <dl class="facts values">
            <dt>{t("domains.host")}</dt>
            <dd>{name ? <CopyField text={name} label={t("domains.host")} /> : <span class="muted">{t("domains.zone_itself")}</span>}</dd>
            <dt>{t("domains.value")}</dt>
            <dd><CopyField text={value} label={t("domains.value")} /></dd>
          </dl>
        )}
      {record.found && record.found.length > 0 && <Difference wanted={record.value} found={record.found} />}
      {record.hint && <p class="muted small">{record.hint}</p>}
    </section>
  );
}
