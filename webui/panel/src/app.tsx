// Which page stands for the place one is at, by who one is.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, type Problem } from "./core/api";
import { t, word } from "./core/i18n";
import { go, match, place } from "./core/router";
import { ask_session } from "./core/session";
import { may, session } from "./core/signals";
import { admin_pages, outside, type PageRow, user_pages } from "./pages";
import { ButtonLink } from "./ui/button";
import { ConfirmIdentity } from "./ui/identity";
import { Head } from "./ui/head";
import { PageView } from "./ui/page_view";
import { Shell } from "./ui/shell";
import { Empty, ErrorBox, Notice, Skeleton } from "./ui/states";
import { Toasts } from "./ui/toast";

export function App() {
  return <><Body /><ConfirmIdentity /><Toasts /></>;
}

function Body() {
  const problem = useSignal<Problem | null>(null);
  const ask = () => void ask_session().then((found) => { problem.value = found; });
  useEffect(ask, []);
  if (session.value === undefined)
    return <div class="narrow"><main>{problem.value ? <ErrorBox problem={problem.value} retry={ask} /> : <Skeleton />}</main></div>;
  if (session.value === null) return <Outside />;
  const pages = session.value.kind === "admin" ? admin_pages : user_pages;
  return <Shell pages={pages}><Inside pages={pages} /></Shell>;
}

/** A service without an administrator is set up first. */
function Outside() {
  const has_admin = useSignal<boolean | null>(null);
  useEffect(() => {
    get<{ has_admin: boolean }>("/setup").then((setup) => { has_admin.value = setup.has_admin; }, () => { has_admin.value = true; });
  }, []);
  if (has_admin.value === null) return null;
  return <PageView load={has_admin.value ? outside.login : outside.setup} props={{ params: {} }} name="outside" />;
}

function Inside({ pages }: { pages: PageRow[] }) {
  const { path } = place.value;
  if (path === "/login") go(pages[0]?.path ?? "/", true);
  for (const page of pages) {
    const params = match(page.path, path);
    if (!params) continue;
    if (page.needs && !may(page.needs)) return <Forbidden title={t(page.title)} needs={page.needs} />;
    return <PageView key={page.path} load={page.load} props={{ params }} name={path} />;
  }
  return <Missing home={pages[0]?.path ?? "/"} />;
}

function Forbidden({ title, needs }: { title: string; needs: string }) {
  return <><Head title={title} /><Notice tone="warn" icon="access">{t("page.needs", { role: word("role", needs) })}</Notice></>;
}

function Missing({ home }: { home: string }) {
  return (
    <>
      <Head title={t("page.missing")} />
      <Empty icon="route" action={<ButtonLink href={home}>{t("page.home")}</ButtonLink>}>{t("page.missing_why")}</Empty>
    </>
  );
}
