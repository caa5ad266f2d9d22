// Destinations as the page shows them: one by one, or gathered by their provider.  Pure.
import type { Destination, Past } from "../core/mail";
import { standing_of } from "./standing";

/** One destination, or a provider with those that belong to it. */
export interface Place extends Destination {
  /** How orders name it. */
  key: string;
  members: Destination[];
}

export const queued_at = ({ ready, waiting, sending }: Destination): number => ready + waiting + sending;
const is_calm = ({ state }: Destination): boolean => ["flows", "paced", "idle"].includes(standing_of(state));

export const alone = (destination: Destination): Place => ({ ...destination, key: destination.name, members: [destination] });

type Known = number | null | undefined;
const total = (values: Known[]): number | null => {
  const known = values.filter((value): value is number => value !== null && value !== undefined);
  return known.length ? known.reduce((a, b) => a + b, 0) : null;
};
const most = (values: Known[]): number | null => {
  const known = values.filter((value): value is number => value !== null && value !== undefined);
  return known.length ? Math.max(...known) : null;
};
const last = <T>(values: (T | null | undefined)[], time: (value: T) => string | null): T | null =>
  values.reduce<T | null>((best, value) => (value && (!best || (time(value) ?? "") > (time(best) ?? "")) ? value : best), null);

function past_of(all: (Past | null | undefined)[]): Past | null {
  const known = all.filter((one): one is Past => Boolean(one));
  if (!known.length) return null;
  const [delivered, deferred, bounced] = (["delivered", "deferred", "bounced"] as const).map((name) => total(known.map((one) => one[name])) ?? 0);
  const n = delivered! + deferred! + bounced!;
  return { delivered: delivered!, deferred: deferred!, bounced: bounced!, percent: n ? (100 * delivered!) / n : null };
}

/** The state of the one that most wants attention stands for all; limits are each one's own. */
function together(provider: string, members: Destination[]): Place {
  const worst = [...members].sort((a, b) => Number(is_calm(a)) - Number(is_calm(b)) || queued_at(b) - queued_at(a))[0]!;
  const sum = (field: (one: Destination) => number) => members.reduce((so_far, one) => so_far + field(one), 0);
  return {
    key: `provider:${provider}`, name: provider, provider, members, state: worst.state, until: worst.until, reason: worst.reason,
    ready: sum(({ ready }) => ready), waiting: sum(({ waiting }) => waiting), sending: sum(({ sending }) => sending),
    held: sum(({ held }) => held), connections: sum(({ connections }) => connections), busy: sum(({ busy }) => busy),
    oldest_seconds: most(members.map(({ oldest_seconds }) => oldest_seconds)), rate: total(members.map(({ rate }) => rate)), limit: null,
    hour: past_of(members.map(({ hour }) => hour)), day: past_of(members.map(({ day }) => day)),
    last_reply: last(members.map(({ last_reply }) => last_reply), ({ at }) => at),
    drain_forecast: last(members.map(({ drain_forecast }) => drain_forecast), (time) => time),
  };
}

/** Who belongs to no provider stands alone among them. */
export function by_provider(rows: Destination[]): Place[] {
  const groups = new Map<string, Destination[]>();
  for (const row of rows) {
    const name = row.provider || ` ${row.name}`;
    groups.set(name, [...groups.get(name) ?? [], row]);
  }
  return [...groups.values()].map((members) => (members[0]!.provider ? together(members[0]!.provider, members) : alone(members[0]!)));
}

const values: Record<string, (row: Place) => number | string> = {
  name: ({ name }) => name, queued: queued_at, held: ({ held }) => held, oldest: ({ oldest_seconds }) => oldest_seconds ?? -1,
  rate: ({ rate }) => rate ?? -1, hour: ({ hour, day }) => hour?.percent ?? day?.percent ?? -1,
};

/** sort: the name of a column, with "-" before it for the other way round. */
export function arranged(rows: Place[], text: string, troubled: boolean, sort: string): Place[] {
  const by = values[sort.replace(/^-/, "")] ?? queued_at, down = sort.startsWith("-") ? -1 : 1;
  const wanted = text.toLowerCase();
  const fits = ({ name, members }: Place) => name.toLowerCase().includes(wanted) ||
    members.some((one) => one.name.toLowerCase().includes(wanted) || (one.domains ?? []).some((domain) => domain.includes(wanted)));
  return rows.filter((row) => fits(row) && (!troubled || !row.members.every(is_calm))).sort((a, b) => {
    const left = by(a), right = by(b);
    return (left < right ? -1 : left > right ? 1 : a.name < b.name ? -1 : 1) * down;
  });
}
