// What the API says of those who may do something here.
import type { Role } from "../core/signals";

export interface Admin {
  name: string;
  role: Role;
  enabled: boolean;
  second_factor: boolean;
  created: string | null;
  last_login: string | null;
}

export interface Token {
  id: number;
  name: string;
  scopes: string[];
  created: string | null;
  by: string;
  expires: string | null;
  networks: string[];
  last_used: string | null;
  secret?: string;
}

export interface OpenSession {
  id: number;
  user: string;
  kind: "admin" | "user";
  from: string;
  agent: string;
  created: string | null;
  last_seen: string | null;
  current: boolean;
}

export interface Change {
  id: number;
  at: string | null;
  who: string;
  from: string;
  action: string;
  object: string;
  before: unknown;
  after: unknown;
}

export const ROLES: Role[] = ["viewer", "operator", "admin", "owner"];
export const AREAS = ["service", "stats", "queue", "destinations", "users", "networks", "domains", "config"] as const;
export const READ_ONLY: readonly string[] = ["service", "stats", "config"];

/** "Mozilla/5.0 (X11; …) … Firefox/130.0" in a word or two; what is no browser stays as it is. */
export function browser_of(agent: string): string {
  const found = /(Firefox|Edg|OPR|Chrome|Version(?=.*Safari))\/(\d+)/g;
  const names: Record<string, string> = { Edg: "Edge", OPR: "Opera", Version: "Safari" };
  const all = [...agent.matchAll(found)];
  const best = all.find(([, name]) => name === "Edg" || name === "OPR") ?? all[0];
  return best ? `${names[best[1]!] ?? best[1]} ${best[2]}` : agent;
}

/** Only what differs, a line each: "role: viewer → admin". */
export function differences(before: unknown, after: unknown): string[] {
  const is_object = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);
  const say = (value: unknown) => (value === null || value === undefined || value === "" ? "—" : typeof value === "object" ? JSON.stringify(value) : String(value));
  if (!is_object(before) && !is_object(after))
    return before === after || (before == null && after == null) ? [] : [`${say(before)} → ${say(after)}`];
  const one = is_object(before) ? before : {}, other = is_object(after) ? after : {};
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
    .map((name) => `${name}: ${say(one[name])} → ${say(other[name])}`);
}
