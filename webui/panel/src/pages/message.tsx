// One message: whose it is, why it waits, and every attempt so far.
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { get_file, part } from "../core/api";
import { download } from "../core/csv";
import { bytes, number, when } from "../core/format";
import { t, tn, word } from "../core/i18n";
import type { Verb } from "../core/jobs";
import { type Delivery, type Message, state_of, type Why } from "../core/mail";
import { use_resource } from "../core/resource";
import { may } from "../core/signals";
import type { PageProps } from "../pages";
import { Button } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Card, Facts, Head } from "../ui/head";
import { StatePill } from "../ui/state";
import { Empty, ErrorBox, Skeleton } from "../ui/states";
import { complain } from "../ui/toast";
import { Attempts } from "./message_attempts";
import { CustomerLetter } from "./message_letter";
import { WhyList } from "./message_why";
import { BulkDialog, VerbButtons } from "./queue_bulk";

export type Whole = Partial<Message> & {
  id: string;
  /** Of what waits; of what is finished nobody keeps them. */
  header?: { name: string; value: string }[] | null;
  attempts?: Delivery[] | null;
  deliveries?: Delivery[] | null;
};

const attempts_of = (whole: Whole): Delivery[] => whole.attempts ?? whole.deliveries ?? [];

export default function MessagePage({ params }: PageProps) {
  const id = params.id ?? "";
  const whole = use_resource<Whole>(`/messages/${part(id)}`, {}, { topics: ["queue"] });
  const waits = Boolean(whole.data?.recipients?.some(({ state }) => ["queued", "deferred", "held", "sending"].includes(state)));
  const asks = useSignal<Verb | null>(null);
  const writing = useSignal(false);
  if (whole.problem?.status === 404 && !whole.data)
    return <><Head title={t("message.title", { id })} /><Card><Empty icon="search">{t("message.gone")}</Empty></Card></>;
  return (
    <>
      <Head title={t("message.title", { id })}>
        <CopyButton text={id} label={t("message.copy_id")} small={false} />
        {Boolean(whole.data?.recipients?.length) && (
          <Button icon="me" onClick={() => { writing.value = true; }}>{t("letter.title")}</Button>
        )}
        {whole.data?.header && may("admin") && (
          <Button icon="download" onClick={() => {
            get_file(`/messages/${part(id)}/raw`).then((file) => download(`${id}.eml`, file), complain);
          }}>{t("message.eml")}</Button>
        )}
        {waits && may("operator") && <VerbButtons onPick={(verb) => { asks.value = verb; }} />}
      </Head>
      {whole.problem && <ErrorBox problem={whole.problem} retry={whole.reload} />}
      {whole.data ? <Body whole={whole.data} waits={waits} /> : !whole.problem && <Skeleton lines={8} />}
      {writing.value && whole.data && (
        <CustomerLetter whole={whole.data} attempts={attempts_of(whole.data)} onClose={() => { writing.value = false; }} />
      )}
      {asks.value && (
        <BulkDialog selection={{ ids: [id] }} verb={asks.value} onClose={() => { asks.value = null; }} onDone={whole.reload}
          onUndone={whole.reload} />
      )}
    </>
  );
}

function Body({ whole, waits }: { whole: Whole; waits: boolean }) {
  return (
    <>
      {waits && <WhyCard id={whole.id} />}
      <div class="columns">
        <Card title={t("message.envelope")}><Envelope whole={whole} /></Card>
        {whole.recipients && whole.recipients.length > 0 && (
          <Card title={tn("message.recipients", whole.n_recipients ?? whole.recipients.length)}><Recipients of={whole as Message} /></Card>
        )}
      </div>
      <Card title={t("message.attempts")}><Attempts attempts={attempts_of(whole)} recipients={whole.recipients ?? []} /></Card>
      {whole.header && <Card title={t("message.headers")}><Header fields={whole.header} /></Card>}
    </>
  );
}

function WhyCard({ id }: { id: string }) {
  const why = use_resource<{ items: Why[] }>(`/messages/${part(id)}/why`, {}, { topics: ["queue"], every: 15_000 });
  if (!why.data?.items.length) return null;
  return <Card title={t("message.why")}><WhyList items={why.data.items} /></Card>;
}

function Envelope({ whole }: { whole: Whole }) {
  const rows: [string, ComponentChildren][] = [
    [t("queue.state"), whole.recipients?.length && <StatePill state={state_of(whole as Message)} />],
    [t("queue.from"), whole.sender === "" ? t("queue.report") : whole.sender],
    [t("queue.user"), whole.user],
    [t("queue.size"), whole.size !== undefined && bytes(whole.size)],
    [t("message.arrived"), whole.arrived && when(whole.arrived, "full")],
    [t("message.expires"), whole.expires && when(whole.expires, "full")],
    [t("message.class"), whole.class && word("class", whole.class)],
    [t("filter.campaign"), whole.campaign],
  ];
  return <Facts rows={rows.filter(([, value]) => value)} />;
}

function Recipients({ of }: { of: Message }) {
  return (
    <ul class="stack tight">
      {of.recipients.map((recipient) => (
        <li key={recipient.n} class="stack tight">
          <div class="line"><StatePill state={recipient.state} /><span class="break">{recipient.address}</span></div>
          {recipient.next && recipient.state !== "sending" && (
            <p class="muted small">{t("message.next", { time: when(recipient.next), n: number(recipient.attempts) })}</p>
          )}
          {recipient.doubtful && <p class="muted small">{t("message.doubtful", { host: recipient.doubtful.host ?? "—" })}</p>}
        </li>
      ))}
    </ul>
  );
}

function Header({ fields }: { fields: NonNullable<Whole["header"]> }) {
  return (
    <dl class="facts">
      {fields.map(({ name, value }, i) => [<dt key={i}>{name}</dt>, <dd key={`${i}=`}>{value}</dd>])}
    </dl>
  );
}
