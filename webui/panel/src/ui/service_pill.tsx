// "Everything flows", or how many things need somebody.  In every page's bar.
import { useEffect } from "preact/hooks";
import { t, tn } from "../core/i18n";
import { follow_overview, overview } from "../core/overview";
import { Shape } from "./state";

export function ServicePill() {
  useEffect(follow_overview, []);
  const data = overview.value.data;
  if (!data || overview.value.problem)
    return overview.value.problem ? <a class="pill plain" href="/"><Shape tone="plain" />{t("service.unknown")}</a> : null;
  const good = data.state === "ok";
  return (
    <a class={`pill ${good ? "delivered" : "deferred"}`} href="/">
      <Shape tone={good ? "delivered" : "deferred"} />
      {good ? t("service.flows") : tn("service.needs", Math.max(1, data.causes.length))}
    </a>
  );
}
