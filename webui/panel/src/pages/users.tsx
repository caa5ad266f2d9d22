// SMTP users: who may send, and as whom.
import { useSignal } from "@preact/signals";
import { type Page, part } from "../core/api";
import { when } from "../core/format";
import { t } from "../core/i18n";
import { use_resource } from "../core/resource";
import { go, place, set_words } from "../core/router";
import { may } from "../core/signals";
import { matches, state_of, type User } from "../lib/users";
import { Button } from "../ui/button";
import { Field } from "../ui/form";
import { Card, Head } from "../ui/head";
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
  { key: "name", title: t("users.name"), width: "minmax(0, 1.4fr)", card: "title",
    cell: (user) => <a href={user_place(user.name)}><b>{user.name}</b></a> },
  { key: "state", title: t("users.state"), width: "11rem", card: "state", cell: (user) => <UserPill user={user} /> },
  { key: "senders", title: t("users.senders"), width: "minmax(0, 1.4fr)", cell: (user) => user.senders.join(", ") },
  { key: "networks", title: t("users.networks"), from: "middle", cell: (user) => user.networks.join(", ") || "—" },
  { key: "created", title: t("users.created"), width: "8rem", from: "middle", cell: (user) => when(user.created, "date") },
];

export default function Users() {
  const users = use_resource<Page<User>>("/users");
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
  const rows = text ? users.filter((user) => matches(user, text)) : users;
  return (
    <>
      {(users.length > 5 || text) && (
        <div class="finder"><Field label={t("users.search")} type="search" value={text} onInput={(value) => set_words({ text: value })} /></div>
      )}
      <Card flush>
        {rows.length
          ? <DataTable label={t("users.title")} columns={columns()} rows={rows} key_of={(user) => user.name} linked
            onOpen={(user) => go(user_place(user.name))} />
          : <Empty icon="search">{t("users.none_found", { text })}</Empty>}
      </Card>
    </>
  );
}

