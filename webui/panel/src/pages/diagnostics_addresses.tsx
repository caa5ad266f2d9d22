// The addresses mail leaves from, and how far each is warmed up for each provider.
import { ago, number, percent } from "../core/format";
import { t, word } from "../core/i18n";
import { Card } from "../ui/head";
import { StatePill, type Tone } from "../ui/state";

export interface Egress {
  egress: string;
  address: string;
  hostname: string;
  provider?: string;
  state: string;
  day?: number;
  days?: number;
  limit?: number | null;
  used?: number;
  deferral_share?: number | null;
  until?: string | null;
}

const tones: Record<string, Tone> = { warm: "delivered", new: "plain", warming: "queued", used_up: "held", stepped_back: "deferred" };

export function Addresses({ items }: { items: Egress[] }) {
  const heads = ["address", "provider", "state", "day", "today", "put_off"] as const;
  return (
    <Card title={t("egress.title")}>
      <div class="wide" tabIndex={0} role="region" aria-label={t("egress.title")}>
        <table class="plain-table">
          <thead><tr>{heads.map((head) => <th key={head} scope="col">{t(`egress.${head}`)}</th>)}</tr></thead>
          <tbody>
            {items.map((row, i) => (
              <tr key={i}>
                <th scope="row" class="nowrap">{row.egress}<div class="muted small">{[row.address, row.hostname].filter(Boolean).join(" · ")}</div></th>
                <td>{row.provider ?? "—"}</td>
                <td><StatePill state={row.state} tone={tones[row.state] ?? "plain"} text={word("egress.is", row.state)} /></td>
                <td class="nowrap">{row.day === undefined ? "—" : t("destinations.of", { busy: number(row.day), all: number(row.days) })}</td>
                <td class="nowrap">
                  {row.used === undefined ? "—" : row.limit ? t("destinations.of", { busy: number(row.used), all: number(row.limit) }) : number(row.used)}
                  {row.until && row.limit && <span class="muted small"> · {t("egress.renewed", { ago: ago(row.until) })}</span>}
                </td>
                <td>{percent(row.deferral_share, 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
