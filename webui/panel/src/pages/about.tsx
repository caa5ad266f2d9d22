// What runs here, how it is, and what it is made of.
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { ButtonLink } from "../ui/button";
import { Card, Facts, Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Shown } from "../ui/states";

interface Health {
  ready: boolean;
  signer: boolean;
  queue: boolean;
  started: string | null;
}

function Works({ well }: { well: boolean }) {
  return <StatePill state={well ? "ok" : "failed"} text={t(well ? "about.good" : "about.bad")} />;
}

export default function About() {
  const version = use_resource<{ version: string }>("/version");
  const health = use_resource<Health>("/health", undefined, { every: 30_000 });
  return (
    <>
      <Head title={t("about.title")} about={t("about.intro")} />
      <div class="columns">
        <Card title={t("about.version")}>
          <Shown of={version} lines={1}>{(found) => <p><b>{t("app.name")}</b> {found.version}</p>}</Shown>
          <div class="line apart">
            <ButtonLink href="/licences.txt" icon="about">{t("about.licences")}</ButtonLink>
            <ButtonLink href="/api/v1/openapi.json" icon="logs">{t("about.api")}</ButtonLink>
          </div>
        </Card>
        <Card title={t("about.health")}>
          <Shown of={health} lines={3}>
            {(found) => (
              <Facts rows={[
                [t("users.state"), <StatePill state={found.ready ? "ok" : "failed"} text={t(found.ready ? "about.ready" : "about.not_ready")} />],
                [t("about.started"), when(found.started, "full")],
                [t("about.queue"), <Works well={found.queue} />],
                [t("about.signer"), <Works well={found.signer} />],
              ]} />
            )}
          </Shown>
        </Card>
      </div>
    </>
  );
}
