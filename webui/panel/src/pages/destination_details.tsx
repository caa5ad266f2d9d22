// One destination beside the list: why it stands as it does, what holds it, what can be done.
import { useSignal } from "@preact/signals";
import { part, remove } from "../core/api";
import { ago, duration, number, when } from "../core/format";
import { t, tn, word } from "../core/i18n";
import type { Destination, Order, Past, Why } from "../core/mail";
import { use_resource } from "../core/resource";
import { may } from "../core/signals";
import { Button, ButtonLink } from "../ui/button";
import { use_order } from "../ui/form";
import { Facts } from "../ui/head";
import { tone_of, StatePill } from "../ui/state";
import { ErrorBox, Shown } from "../ui/states";
import { say } from "../ui/toast";
import { OrderButtons, type OrderKind } from "./destination_orders";
import { news_of, pace_of, share_of, StandingPill } from "./destinations";
import { WhyList } from "./message_why";
import { BulkDialog } from "./queue_bulk";

export function DestinationDetails({ destination, onPick, onChange }: {
  destination: Destination; onPick: (kind: OrderKind) => void; onChange: () => void;
}) {
  const { name } = destination;
  const deleting = useSignal(false);
  const why = use_resource<{ items: Why[] }>(`/destinations/${part(name)}/why`, {}, { topics: ["destinations"], every: 10_000 });
  return (
    <div class="stack">
      <div class="line"><StandingPill destination={destination} />
        <ButtonLink small href={`/queue?filter=${encodeURIComponent(`dest:${name}`)}`} icon="queue">{t("destinations.show_queue")}</ButtonLink>
      </div>
      <section class="stack tight">
        <h3>{t("message.why")}</h3>
        <Shown of={why} lines={2}>
          {({ items }) => (items.length ? <WhyList items={items} /> : <p class="muted">{t("why.nothing_queued")}</p>)}
        </Shown>
      </section>
      {destination.last_reply && <Said destination={destination} />}
      <Facts rows={facts_of(destination)} />
      <Orders name={name} onChange={onChange} />
      {may("operator") && <section class="stack tight"><h3>{t("destinations.do")}</h3><div class="actions"><OrderButtons onPick={onPick} />
        <Button icon="bin" kind="danger" onClick={() => { deleting.value = true; }}>{t("destinations.delete")}</Button></div></section>}
      {deleting.value && (
        <BulkDialog selection={{ filter: `dest:${name}` }} verb="delete" onClose={() => { deleting.value = false; }} onDone={onChange} onUndone={onChange} />
      )}
    </div>
  );
}

const counts = (past: Past | null | undefined): string =>
  (past ? `${share_of(past)} · ${t("destinations.counts", { delivered: number(past.delivered), deferred: number(past.deferred), bounced: number(past.bounced) })}` : "—");

function facts_of(one: Destination): [string, string][] {
  const limits = limits_text(one.limits ?? {}), others = (one.n_domains ?? 0) - (one.domains?.length ?? 0);
  const rows: [string, string][] = [
    [t("destinations.provider"), one.provider ?? ""],
    [t("destinations.domains"), one.domains?.join(", ") === one.name ? "" : [one.domains?.join(", "), others > 0 ? tn("bulk.others", others) : ""].filter(Boolean).join(", ")],
    [t("destinations.ready"), number(one.ready)],
    [t("destinations.waiting"), number(one.waiting)],
    [t("destinations.sending"), number(one.sending)],
    [t("destinations.held"), number(one.held)],
    [t("destinations.oldest"), duration(one.oldest_seconds)],
    [t("destinations.rate"), pace_of(one)],
    [t("destinations.limits"), limits],
    [t("destinations.connections"), t("destinations.of", { busy: number(one.busy), all: number(one.connections) })],
    [t("destinations.hour"), counts(one.hour)],
    [t("destinations.day"), counts(one.day)],
    [t("destinations.drain"), one.drain_forecast ? `${when(one.drain_forecast)} (${ago(one.drain_forecast)})` : "—"],
    [t("destinations.until"), when(one.until, "full")],
  ];
  return rows.filter(([, value]) => value);
}

function Said({ destination }: { destination: Destination }) {
  const { at, state, code, text } = destination.last_reply!;
  return (
    <section class="stack tight">
      <h3>{t("destinations.last_reply")}</h3>
      <div class="line"><StatePill state={state} tone={tone_of(state)} /><span class="muted small">{when(at, "full")}</span></div>
      {state !== "delivered" && <p>{news_of(destination)}</p>}
      <div class="reply">{code && !text.startsWith(String(code)) ? `${code} ${text}` : text}</div>
    </section>
  );
}

function limits_text(limits: Record<string, number>): string {
  return Object.entries(limits).map(([name, n]) => `${word("limit", name)}: ${number(n)}`).join(", ");
}

function Orders({ name, onChange }: { name: string; onChange: () => void }) {
  const orders = use_resource<{ items: Order[] }>("/suspensions", {}, { topics: ["destinations"] });
  const own = orders.data?.items.filter((order) => order.name === name || order.name === `destination:${name}`) ?? [];
  const end = use_order(async (order: Order) => {
    await remove(`/suspensions/${part(order.name)}`, { order: order.order });
    say(t("order.ended", { name }));
    orders.reload();
    onChange();
  });
  if (!own.length) return orders.problem ? <ErrorBox problem={orders.problem} retry={orders.reload} /> : null;
  return (
    <section class="stack tight">
      <h3>{t("destinations.orders")}</h3>
      {end.problem && <ErrorBox problem={end.problem} />}
      <ul class="stack tight">
        {own.map((order) => (
          <li key={order.order} class="line">
            <div class="grow break">
              <b>{word("order.is", order.order)}</b>{order.limits && ` · ${limits_text(order.limits)}`}{order.via && ` · ${order.via}`}
              <p class="muted small">
                {order.reason} · {t("order.by", { who: order.by, time: when(order.since) })}
                {" · "}{order.until ? t("order.until", { time: when(order.until) }) : t("order.forever")}
              </p>
            </div>
            {may("operator") && <Button small busy={end.busy} onClick={() => void end.run(order)}>{t("order.end")}</Button>}
          </li>
        ))}
      </ul>
    </section>
  );
}
