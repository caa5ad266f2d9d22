// "Explain to my customer": a letter made of what is known of one recipient of a message.  Pure.
import type { Language } from "../core/signals";
import { type Ending, letters } from "../i18n/letters";
import { cause_of } from "./causes";

export interface Evidence {
  id: string;
  recipient: string;
  state: string;
  arrived: string | null;
  expires: string | null;
  /** The last thing that a receiver said, and where it was said. */
  reply: string;
  /** Of the history; "" where it did not say. */
  cause: string;
  server: string | null;
  at: string | null;
  /** An operator's or the service's own words, where it is they that hold it. */
  held_for: string;
}

const endings: Record<string, Ending> = { delivered: "delivered", deferred: "deferred", bounced: "bounced", expired: "bounced", held: "held" };

const date = (time: string | null, language: Language): string => (time
  ? new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, { dateStyle: "long", timeStyle: "short" }).format(Date.parse(time)) : "—");

const fill = (text: string, values: Record<string, string>): string => text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "");

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

export function letter_of(known: Evidence, language: Language): string {
  const words = letters[language], ending = endings[known.state] ?? "queued";
  const parts = [capital(fill(words.opening[ending], { recipient: known.recipient, arrived: date(known.arrived, language) }))];
  if (ending === "held" && known.held_for) parts.push(fill(words.ours, { reason: known.held_for }));
  if (known.reply)
    parts.push(fill(words.said, { time: date(known.at, language), server: known.server ?? "—", reply: known.reply.replace(/\s+/g, " ").trim() }));
  if (ending === "deferred" || ending === "bounced" || (ending === "queued" && known.reply)) {
    const cause = known.state === "expired" ? "expired" : cause_of(known.reply, known.cause) ?? "other";
    parts.push(words.causes[cause].join(" "));
  }
  if (ending === "deferred" && known.expires) parts.push(fill(words.expires, { expires: date(known.expires, language) }));
  return [...parts, fill(words.closing, { id: known.id })].join("\n\n");
}
