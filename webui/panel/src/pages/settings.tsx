// What the service runs with: read here, changed in the file.
import { useSignal } from "@preact/signals";
import type { Page } from "../core/api";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { place, set_words } from "../core/router";
import { fits, grouped, type Setting } from "../lib/settings";
import { Check, Field } from "../ui/form";
import { Card, Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Empty, Shown } from "../ui/states";

export default function Settings() {
  const settings = use_resource<Page<Setting>>("/config");
  const changed_only = useSignal(false);
  const text = place.value.words.get("text") ?? "";
  return (
    <>
      <Head title={t("settings.title")} about={t("settings.intro")} />
      <div class="finder line">
        <div class="grow">
          <Field label={t("settings.search")} type="search" value={text} onInput={(value) => set_words({ text: value })} />
        </div>
        <Check label={t("settings.changed_only")} value={changed_only.value} onToggle={(on) => { changed_only.value = on; }} />
      </div>
      <Shown of={settings} lines={10}>
        {({ items }) => <Groups rows={items.filter((row) => fits(row, text) && (row.changed || !changed_only.value))} />}
      </Shown>
    </>
  );
}

function Groups({ rows }: { rows: Setting[] }) {
  if (!rows.length) return <Card><Empty icon="search">{t("settings.none_found")}</Empty></Card>;
  return (
    <>
      {grouped(rows, t("settings.general")).map((group) => (
        <Card key={group.name} title={group.name}>
          <dl class="settings">{group.rows.map((row) => <Row key={row.name} row={row} />)}</dl>
        </Card>
      ))}
    </>
  );
}

const shown = (value: string) => (value ? <code class="break">{value}</code> : <span class="muted">{t("settings.empty_value")}</span>);

function Row({ row }: { row: Setting }) {
  return (
    <div>
      <dt>
        <code>{row.name}</code>
        <p class="muted small" lang="en">{row.help}</p>
      </dt>
      <dd>
        {shown(row.value)}
        <div class="line small muted">
          <StatePill state={row.changed ? "info" : "unknown"} text={t(row.changed ? "settings.source.file" : "settings.source.default")} />
          {row.changed && <span>{t("settings.default")}: {shown(row.default)}</span>}
          <span>{t(row.needs_restart ? "settings.restart" : "settings.live")}</span>
        </div>
      </dd>
    </div>
  );
}
