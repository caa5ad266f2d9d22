// Orders about destinations: each with a reason, and with an end unless one wants none.
import { useSignal } from "@preact/signals";
import { post } from "../core/api";
import { number } from "../core/format";
import { t, tn, type Key, type Plural } from "../core/i18n";
import { order_destination } from "../core/mail";
import { type Place, queued_at } from "../lib/destinations";
import { Button } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { Choice, Field, use_order } from "../ui/form";
import type { IconName } from "../ui/icon";
import { say } from "../ui/toast";

export type OrderKind = "retry" | "suspend" | "throttle" | "reroute" | "resume";

const kinds: [OrderKind, IconName][] = [
  ["retry", "retry"], ["suspend", "pause"], ["throttle", "slow"], ["reroute", "route"], ["resume", "play"],
];

export function OrderButtons({ onPick, small }: { onPick: (kind: OrderKind) => void; small?: boolean }) {
  return (
    <>
      {kinds.map(([kind, icon]) => (
        <Button key={kind} icon={icon} small={small ?? false} onClick={() => onPick(kind)}>{t(`order.${kind}` as Key)}</Button>
      ))}
    </>
  );
}

const LIMITS = ["messages_per_minute", "messages_per_hour", "connections"] as const;
const SPANS = { h1: 3_600, h4: 14_400, h12: 43_200, d1: 86_400, d7: 604_800, never: 0 };
type Span = keyof typeof SPANS;

interface Draft {
  reason: string;
  span: Span;
  via: string;
  limits: Record<string, string>;
}

function body_of(kind: OrderKind, { reason, span, via, limits }: Draft): object {
  const shared = { reason: reason.trim(), ...(SPANS[span] && { for_seconds: SPANS[span] }) };
  if (kind === "reroute") return { ...shared, via: via.trim() };
  if (kind !== "throttle") return shared;
  const given = Object.entries(limits).filter(([, text]) => text).map(([name, text]) => [name, Number(text)]);
  return { ...shared, ...Object.fromEntries(given) };
}

/** Orders about a provider are one; tried again is each of its destinations. */
async function give(kind: OrderKind, { key, members }: Place, draft: Draft): Promise<void> {
  if (kind === "retry")
    for (const { name } of members) await post("/queue:retry", { dest: name, reason: draft.reason.trim() || t("order.by_panel") });
  else await order_destination(key, kind, kind === "resume" ? {} : body_of(kind, draft));
}

function is_whole(kind: OrderKind, { reason, via, limits }: Draft): boolean {
  if (kind === "retry" || kind === "resume") return true;
  return Boolean(reason.trim()) && (kind !== "reroute" || Boolean(via.trim())) &&
    (kind !== "throttle" || Object.values(limits).some((text) => Number(text) > 0));
}

/** What it would be about, before it is given. */
function Preview({ places }: { places: Place[] }) {
  const sum = (field: (place: Place) => number) => places.reduce((so_far, one) => so_far + field(one), 0);
  const destinations = sum(({ members }) => members.length), held = sum((one) => one.held);
  return (
    <p>
      <b>{tn("bulk.count", sum(queued_at) + held)}</b>{" "}
      {destinations > 1 ? tn("order.wait_for", destinations) : t("order.wait_there")}
      {held > 0 && ` ${t("order.of_them_held", { n: number(held) })}`}
    </p>
  );
}

export function OrderDialog({ kind, places, onClose, onDone }: {
  kind: OrderKind; places: Place[]; onClose: () => void; onDone: () => void;
}) {
  const names = places.map(({ name }) => name);
  const draft = useSignal<Draft>({ reason: "", span: "h4", via: "", limits: {} });
  const set = (change: Partial<Draft>) => { draft.value = { ...draft.value, ...change }; };
  const run = use_order(async () => {
    for (const one of places) await give(kind, one, draft.value);
    say(tn(`order.${kind}_done` as Plural, names.length, { name: names[0] ?? "" }));
    onClose();
    onDone();
  });
  const asks_more = kind !== "retry" && kind !== "resume";
  return (
    <FormDialog title={names.length === 1 ? t(`order.${kind}_title` as Key, { name: names[0] ?? "" }) : tn(`order.${kind}_titles` as Plural, names.length)}
      submit={t(`order.${kind}` as Key)} busy={run.busy} problem={run.problem} disabled={!is_whole(kind, draft.value)}
      onClose={onClose} onSubmit={() => void run.run()}>
      <Preview places={places} />
      <p>{t(`order.${kind}_text` as Key)}</p>
      {kind === "throttle" && (
        <div class="fields">
          {LIMITS.map((name) => (
            <Field key={name} type="number" min={1} inputmode="numeric" label={t(`limit.${name}`)} value={draft.value.limits[name] ?? ""}
              onInput={(text) => set({ limits: { ...draft.value.limits, [name]: text } })} />
          ))}
        </div>
      )}
      {kind === "reroute" && (
        <Field label={t("order.via")} value={draft.value.via} required mono placeholder="relay.example.org:587"
          hint={t("order.via_hint")} onInput={(via) => set({ via })} />
      )}
      {asks_more && <Field label={t("field.reason")} value={draft.value.reason} required hint={t("order.reason_hint")} onInput={(reason) => set({ reason })} />}
      {asks_more && (
        <Choice<Span> label={t("order.span")} value={draft.value.span} onPick={(span) => set({ span })}
          options={(Object.keys(SPANS) as Span[]).map((span) => [span, t(`span.${span}`)])} />
      )}
    </FormDialog>
  );
}
