// What the API says of mail.
import { part, post } from "./api";
import { t } from "./i18n";

export interface Recipient {
  n: number;
  address: string;
  state: string;
  attempts: number;
  next: string | null;
  reply: string;
  doubtful?: { host: string | null; at: string | null } | null;
}

export interface Message {
  id: string;
  user: string;
  sender: string;
  size: number;
  arrived: string | null;
  expires: string | null;
  class: string;
  campaign: string;
  n_recipients: number;
  recipients: Recipient[];
}

export interface Delivery {
  at: string;
  id: string;
  n: number;
  user: string;
  sender: string;
  recipient: string;
  site: string;
  mx: string | null;
  egress: string | null;
  tls?: string | null;
  state: string;
  code: number | null;
  enhanced: string | null;
  reply: string;
  class: string;
  seconds: number | null;
  attempts: number;
  campaign: string;
}

export interface Why {
  id: string | null;
  n: number;
  state: string;
  why: string;
  sentence: string;
  action: string | null;
  until?: string | null;
  since?: string | null;
  last_delivery?: string | null;
  site?: string;
  reason?: string;
  about?: string | null;
  command?: string | null;
}

/** Of recipients; deferred counts attempts. */
export interface Past {
  delivered: number;
  deferred: number;
  bounced: number;
  percent: number | null;
}

export interface LastReply {
  at: string | null;
  code: number | null;
  text: string;
  state: string;
}

export interface Destination {
  name: string;
  ready: number;
  waiting: number;
  sending: number;
  held: number;
  connections: number;
  busy: number;
  state: string;
  until: string | null;
  reason: string;
  provider?: string | null;
  /** Some of those whose mail waits for it. */
  domains?: string[];
  n_domains?: number;
  oldest_seconds?: number | null;
  /** Messages a minute, and what the strictest limit allows. */
  rate?: number | null;
  limit?: number | null;
  limits?: Record<string, number>;
  hour?: Past | null;
  day?: Past | null;
  last_reply?: LastReply | null;
  drain_forecast?: string | null;
}

export interface Order {
  name: string;
  scope: string;
  order: string;
  limits: Record<string, number> | null;
  via: string | null;
  reason: string;
  by: string;
  since: string | null;
  until: string | null;
}

/** History has a row for each arrival too; those are not meant until somebody asks for them. */
export const ENDS = "delivered,deferred,bounced,expired,deleted,held";

export const FILTER_WORDS = ["to", "from", "user", "dest", "state", "older", "size", "msgid", "reply", "campaign"];

/** The receiver's answer as it stood on the wire. */
export function said({ code, enhanced, reply }: Delivery): string {
  if (!code || reply.startsWith(String(code))) return reply;
  return [code, enhanced, reply].filter(Boolean).join(" ");
}

/** What the service itself noted where a receiver's reply would stand: a code, and the operator's reason. */
export function reply_text(reply: string): string {
  const [, reason] = /^to_be_deleted: (.*)$/s.exec(reply) ?? [];
  return reason === undefined ? reply : t("reply.to_be_deleted", { reason });
}

export const message_place = (id: string): string => `/messages/${part(id)}`;

/** The state that stands for all its recipients: the one that most wants attention. */
export function state_of(message: Pick<Message, "recipients">): string {
  const states = message.recipients.map(({ state }) => state);
  return ["held", "sending", "deferred", "queued"].find((state) => states.includes(state)) ?? states[0] ?? "queued";
}

export const order_destination = (name: string, verb: string, body: object): Promise<unknown> =>
  post(`/destinations/${part(name)}:${verb}`, body);
