// A state is told by colour, shape and word together.
import { word } from "../core/i18n";

export type Tone = "delivered" | "deferred" | "bounced" | "held" | "queued" | "plain";

const tones: Record<string, Tone> = {
  delivered: "delivered", ok: "delivered", active: "delivered", verified: "delivered", sent: "delivered", pass: "delivered",
  deferred: "deferred", warn: "deferred", warning: "deferred", expiring: "deferred", slowed_down: "deferred",
  resting: "deferred", retry_time: "deferred", unreachable: "deferred", provider_resting: "deferred", address_resting: "deferred",
  warm_up: "deferred", probe: "deferred", quota: "held", braked: "bounced",
  bounced: "bounced", failed: "bounced", fail: "bounced", error: "bounced", refused: "bounced", expired: "bounced", missing: "bounced",
  suspended: "held", held: "held", disabled: "held", provider_suspended: "held", address_suspended: "held",
  user_suspended: "held", campaign_suspended: "held",
  queued: "queued", sending: "queued", info: "queued", pending: "queued", notice: "queued", debug: "plain",
  nothing_queued: "plain", deleted: "plain", unknown: "plain",
};

export function tone_of(state: string): Tone {
  return tones[state] ?? "queued";
}

export function Shape({ tone }: { tone: Tone }) {
  return (
    <svg viewBox="0 0 10 10" aria-hidden="true" class={`${tone}-ink`}>
      {tone === "delivered" && <circle cx="5" cy="5" r="4.5" stroke="none" />}
      {tone === "deferred" && <path d="M5 .7 9.7 9.2H.3z" stroke="none" />}
      {tone === "bounced" && <path d="M5 0 10 5 5 10 0 5z" stroke="none" />}
      {tone === "held" && <path d="M.7.7h8.6v8.6H.7z" stroke="none" />}
      {tone === "queued" && <circle cx="5" cy="5" r="3.7" fill="none" stroke-width="2" />}
      {tone === "plain" && <path d="M1 5h8" stroke-width="2" />}
    </svg>
  );
}

export function StatePill({ state, text, tone }: { state: string; text?: string; tone?: Tone }) {
  const shown = tone ?? tone_of(state);
  return <span class={`pill ${shown}`}><Shape tone={shown} />{text ?? word("state", state)}</span>;
}
