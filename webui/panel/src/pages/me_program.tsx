// How an SMTP user sets up the own program, and whether it has signed in.
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { Card, Head } from "../ui/head";
import { ProgramCard } from "../ui/program_card";
import { Shown } from "../ui/states";
import type { Me } from "../lib/me";

interface SetupCard {
  user: string;
  host: string;
  ports: { port: number; tls: "starttls" | "implicit" | "none" }[];
}

function port(card: SetupCard, tls: string, usual: number): number | null {
  const ports = card.ports.filter((one) => one.tls === tls).map((one) => one.port);
  return ports.includes(usual) ? usual : ports[0] ?? null;
}

export default function MyProgram() {
  const card = use_resource<SetupCard>("/me/setup-card");
  const me = use_resource<Me>("/me");
  return (
    <>
      <Head title={t("me.program")} />
      <Shown of={card}>
        {(found) => (
          <Card>
            <ProgramCard watch account={{
              host: found.host, user: found.user, sender: me.data?.senders.find((sender) => sender.includes("@")) ?? found.user,
              starttls: port(found, "starttls", 587), implicit: port(found, "implicit", 465),
            }} />
          </Card>
        )}
      </Shown>
    </>
  );
}
