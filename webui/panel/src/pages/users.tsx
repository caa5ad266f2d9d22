// SMTP users: who may send, and as whom.
import { useSignal } from "@preact/signals";
import { type Page, part } from "../core/api";
import { ago, number, percent, UNKNOWN, when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { go, place, set_words } from "../core/router";
import { may } from "../core/signals";
import { bounces_badly, matches, sorted, state_of, type User } from "../lib/users";
import { Button } from "../ui/button";
import { Field } from "../ui/form";
import { Card, Head } from "../ui/head";
import { QuotaMarks } from "../ui/quota";
import { StatePill, type Tone } from "../ui/state";
import { Empty, Shown } from "../ui/states";
import { type Column, DataTable } from "../ui/table";
import { AddUser } from "./user_add";

const tones: Record<string, Tone> = { enabled: "delivered", disabled: "held", braked: "bounced" };

export function UserPill({ user }: { user: User }) {
  const state = state_of(user);
  return <StatePill state={state} tone={tones[state]!} text={t(`users.state.${state}`)} />;
}

export const user_place = (name: string): string => `/users/${part(name)}`;

const columns = (): Column<User>[] => [
  { key: "name", title: t("users.name"), width: "minmax(0, 1.3fr)", card: "title", sort: true,
    cell: (user) => <a href={user_place(user.name)}><b>{user.name}</b></a> },
  { key: "state", title: t("users.state"), width: "11rem", card: "state", cell: (user) => <UserPill user={user} /> },
  { key: "senders", title: t("users.senders"), width: "minmax(0, 1.2fr)", from: "wide", cell: (user) => user.senders.join(", ") },
  { key: "quota", title: t("users.quota"), width: "minmax(10.5rem, 1fr)", sort: true, cell: ({ used, quotas }) => <QuotaMarks used={used} quotas={quotas} /> },
  { key: "bounces", title: t("users.bounced"), width: "6rem", num: true, sort: true, cell: (user) => <Bounces user={user} /> },
  { key: "queued", title: t("destinations.queued"), width: "5.5rem", num: true, sort: true, from: "middle",
    cell: ({ name, queued }) => <Waiting name={name} n={queued} words="" /> },
  { key: "held", title: t("destinations.held"), width: "6rem", num: true, sort: true, cell: ({ name, held }) => <Waiting name={name} n={held} words=" state:held" /> },
  { key: "used", title: t("users.last_used"), width: "8rem", num: true, sort: true,
    cell: ({ last_used }) => (last_used ? <span title={when(last_used, "full")}>{ago(last_used)}</span> : t("users.never")) },
];

function Bounces({ user }: { user: User }) {
  const { day } = user;
  if (!day) return <>{UNKNOWN}</>;
  const text = percent(day.bounce_percent === null ? null : day.bounce_percent / 100);
  const title = t("users.bounces_of", { bounced: number(day.bounced), all: number(day.bounced + day.delivered) });
  return bounces_badly(user) ? <StatePill state="bounced" text={text} /> : <span title={title}>{text}</span>;
}

function Waiting({ name, n, words }: { name: string; n: number | null | undefined; words: string }) {
  return n ? <a href={`/queue?filter=${encodeURIComponent(`user:${quoted(name)}${words}`)}`}>{number(n)}</a> : <>{number(n)}</>;
}

const quoted = (name: string): string => (/[\s"]/.test(name) ? `"${name.replaceAll('"', "")}"` : name);

const EVERY_MS = 30_000;

export default function Users() {
  const users = use_resource<Page<User>>("/users", {}, { every: EVERY_MS });
  const adding = useSignal(false);
  const text = place.value.words.get("text") ?? "";
  const add = may("admin") && <Button kind="primary" icon="plus" onClick={() => { adding.value = true; }}>{t("users.add")}</Button>;
  return (
    <>
      <Head title={t("users.title")} about={t("users.intro")}>{add}</Head>
      <Shown of={users} lines={6}>
        {({ items }) => items.length === 0
          ? <Card><Empty icon="users" action={add}>{t("users.empty")}</Empty></Card>
          : <UserList users={items} text={text} />}
      </Shown>
      {adding.value && <AddUser onClose={() => { adding.value = false; }} onAdded={() => void users.reload()} />}
    </>
  );
}

function UserList({ users, text }: { users: User[]; text: string }) {
  const sort = place.value.words.get("sort") ?? "";
  const rows = sorted(text ? users.filter((user) => matches(user, text)) : users, sort);
  return (
    <>
      {(users.length > 5 || text) && (
        <div class="finder"><Field label={t("users.search")} type="search" value={text} onInput={(value) => set_words({ text: value })} /></div>
      )}
      <Card flush>
        {rows.length
          ? <DataTable label={t("users.title")} columns={columns()} rows={rows} key_of={(user) => user.name} linked
            sort={sort} onSort={(value) => set_words({ sort: value })}
            onOpen={(user) => go(user_place(user.name))} />
          : <Empty icon="search">{t("users.none_found", { text })}</Empty>}
      </Card>
    </>
  );
}

