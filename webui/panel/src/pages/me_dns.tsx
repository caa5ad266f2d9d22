// The records that the domains of an SMTP user should have.
import type { Page } from "../core/api";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import type { Domain, Key } from "../lib/domains";
import { Card, Head } from "../ui/head";
import { Records } from "../ui/records";
import { Empty, Shown } from "../ui/states";

const kind = (key: Key) => (key.type === "rsa" ? "RSA 2048" : "Ed25519");

export default function MyDns() {
  const domains = use_resource<Page<Domain>>("/me/dns");
  return (
    <>
      <Head title={t("me.dns")} about={t("me.dns_intro")} />
      <Shown of={domains}>
        {({ items }) => items.length === 0 ? <Card><Empty icon="domains">{t("me.dns_empty")}</Empty></Card> : (
          <>
            {items.map((domain, i) => (
              <Card key={domain.name} title={domain.name}>
                <Records zone={domain.name} follows={i > 0} records={domain.keys.map((key) => ({
                  name: key.record_name, value: key.value, title: <h3>DKIM · {key.selector} · {kind(key)}</h3>,
                }))} />
              </Card>
            ))}
          </>
        )}
      </Shown>
    </>
  );
}
