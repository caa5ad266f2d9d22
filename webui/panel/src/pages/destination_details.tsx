// One destination beside the list: why it stands as it does, what holds it, what can be done.
import { part, remove } from "../core/api";
import { number, when } from "../core/format";
import { t, word } from "../core/i18n";
import type { Destination, Order, Why } from "../core/mail";
import { use_resource } from "../core/resource";
import { may } from "../core/signals";
import { Button, ButtonLink } from "../ui/button";
import { use_order } from "../ui/form";
import { Facts } from "../ui/head";
import { ErrorBox, Shown } from "../ui/states";
import { say } from "../ui/toast";
import { OrderButtons, type OrderKind } from "./destination_orders";
import { StandingPill } from "./destinations";
import { WhyList } from "./message_why";

export function DestinationDetails({ destination, onPick, onChange }: {
  destination: Destination; onPick: (kind: OrderKind) => void; onChange: () => void;
}) {
  const { name } = destination;
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
      <Facts rows={[
        [t("destinations.ready"), number(destination.ready)],
        [t("destinations.waiting"), number(destination.waiting)],
        [t("destinations.sending"), number(destination.sending)],
        [t("destinations.held"), number(destination.held)],
        [t("destinations.connections"), t("destinations.of", { busy: number(destination.busy), all: number(destination.connections) })],
        [t("destinations.until"), when(destination.until, "full")],
      ]} />
      <Orders name={name} onChange={onChange} />
      {may("operator") && <section class="stack tight"><h3>{t("destinations.do")}</h3><div class="actions"><OrderButtons onPick={onPick} /></div></section>}
    </div>
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
