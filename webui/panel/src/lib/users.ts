// What the API says of SMTP users.
export interface User {
  name: string;
  enabled: boolean;
  senders: string[];
  networks: string[];
  limits: Record<string, number | "none">;
  trace: string;
  bounces: string;
  class: boolean;
  must_sign: boolean;
  credentials: number;
  created: string | null;
  default_class: string;
  refuse_over_quota: boolean;
  brake: boolean;
  braked: string | null;
  braked_reason: string;
  contact: string;
  last_used?: string | null;
  used?: Record<string, number>;
  quotas?: Record<string, number>;
  /** Recipients that wait, and those of them that are held; null: not known. */
  queued?: number | null;
  held?: number | null;
  /** Of recipients, in the last 24 hours. */
  day?: { accepted: number; delivered: number; deferred: number; bounced: number; bounce_percent: number | null } | null;
  password?: string;
}

export const LIMITS = ["sessions", "recipients", "message_size", "weight", "messages_per_minute", "recipients_per_minute",
  "messages_per_hour", "messages_per_day", "messages_per_month", "recipients_per_hour", "recipients_per_day",
  "recipients_per_month", "transactional_per_hour"] as const;

export const CHOICES: Record<string, string[]> = {
  default_class: ["bulk", "transactional"], bounces: ["dsn", "digest", "none"], trace: ["full", "no_client"],
};

export const SWITCHES = ["class", "must_sign", "refuse_over_quota", "brake"] as const;

export type Options = Record<string, string>;

/** The user's settings as the texts that POST …:options takes; a limit that is the service's is "". */
export function options_of(user: User): Options {
  const options: Options = { contact: user.contact };
  for (const name of LIMITS) options[name] = user.limits[name] ? String(user.limits[name]) : "";
  for (const name of Object.keys(CHOICES)) options[name] = String(user[name as keyof User]);
  for (const name of SWITCHES) options[name] = user[name] ? "yes" : "no";
  return options;
}

/** Only what was changed; the service's own limit is written 0. */
export function changed(before: Options, after: Options): Options {
  const entries = Object.entries(after).filter(([name, value]) => value.trim() !== before[name]);
  return Object.fromEntries(entries.map(([name, value]) => [name, name === "contact" ? value.trim() : value.trim() || "0"]));
}

export const lines_of = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

export type UserState = "enabled" | "disabled" | "braked";

export function state_of(user: User): UserState {
  return user.braked ? "braked" : user.enabled ? "enabled" : "disabled";
}

/** Somebody else's words may be in any of them. */
export function matches(user: User, text: string): boolean {
  return [user.name, ...user.senders, ...user.networks, user.contact].join(" ").toLowerCase().includes(text.trim().toLowerCase());
}

/** Half-known shares of so little say nothing. */
const FEW = 20;

/** Bounces that receivers begin to mind. */
export function bounces_badly({ day }: User): boolean {
  return Boolean(day && day.delivered + day.bounced >= FEW && (day.bounce_percent ?? 0) > 5);
}

/** The fullest quota as a share; null: none is set. */
export function fullest({ quotas = {}, used = {} }: User): number | null {
  const shares = Object.entries(quotas).map(([name, of]) => (used[name] ?? 0) / of);
  return shares.length ? Math.max(...shares) : null;
}

const values: Record<string, (user: User) => number | string> = {
  name: ({ name }) => name, quota: (user) => fullest(user) ?? -1, bounces: ({ day }) => day?.bounce_percent ?? -1,
  held: ({ held }) => held ?? -1, queued: ({ queued }) => queued ?? -1, used: ({ last_used }) => last_used ?? "",
};

/** sort: the name of a column, with "-" before it for the other way round. */
export function sorted(users: User[], sort: string): User[] {
  const by = values[sort.replace(/^-/, "")];
  if (!by) return users;
  const down = sort.startsWith("-") ? -1 : 1;
  return [...users].sort((a, b) => {
    const left = by(a), right = by(b);
    return (left < right ? -1 : left > right ? 1 : 0) * down;
  });
}
