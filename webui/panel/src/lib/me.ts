// What the API says to an SMTP user about their own sending.
import type { Recipient } from "../core/mail";

export interface Me {
  user: string;
  senders: string[];
  limits: Record<string, number | "none">;
  quotas?: Record<string, number>;
  used: Record<string, number>;
  held: number | null;
  domains: string[];
}

export interface Delivery {
  at: string | null;
  id: string;
  n: number;
  sender: string;
  recipient: string;
  state: string;
  code: number | null;
  enhanced: string | null;
  reply: string;
}

export interface Waiting {
  id: string;
  sender: string;
  arrived: string | null;
  n_recipients: number;
  recipients: Recipient[];
}

/** Limits over time are quotas; a user without one has none to show. */
export function quotas_of(me: Me): Record<string, number> {
  if (me.quotas) return me.quotas;
  const timed = Object.entries(me.limits).filter(([name, limit]) => /_per_(hour|day|month)$/.test(name) && Number(limit) > 0);
  return Object.fromEntries(timed.map(([name, limit]) => [name, Number(limit)]));
}
