// What stands around every page: navigation, search, the state of the service, the person's menu.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { t } from "../core/i18n";
import { place } from "../core/router";
import { may, session } from "../core/signals";
import type { PageRow } from "../pages";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Brand, Icon } from "./icon";
import { Palette, palette_open } from "./palette";
import { ServicePill } from "./service_pill";
import { StaleBar } from "./states";
import { UserMenu } from "./user_menu";

export function Shell({ pages, children }: { pages: PageRow[]; children: ComponentChildren }) {
  const menu = useSignal(false);
  useEffect(() => { menu.value = false; }, [place.value]);
  return (
    <>
      <a class="skip" href="#page">{t("app.skip")}</a>
      <div class="shell">
        <Side pages={pages} />
        <div>
          <StaleBar />
          <header class="top">
            <Button kind="quiet" class="burger" icon="menu" label={t("app.menu")} onClick={() => { menu.value = true; }} />
            <button type="button" class="find" aria-keyshortcuts="/ Control+K" aria-label={t("app.search")}
              onClick={() => { palette_open.value = true; }}>
              <Icon name="search" /><span>{t("app.search")}</span><kbd aria-hidden="true">/</kbd>
            </button>
            <div class="grow" />
            {session.value?.kind === "admin" && <ServicePill />}
            <UserMenu />
          </header>
          <main id="page" tabIndex={-1}>{children}</main>
        </div>
      </div>
      {menu.value && (
        <Dialog title={t("app.menu")} class="nav" bare onClose={() => { menu.value = false; }}>
          <Side pages={pages} />
        </Dialog>
      )}
      <Palette pages={pages} />
    </>
  );
}

/** The page one is at, or the one it belongs to: the longest path that leads here. */
function here_of(pages: PageRow[]): string | undefined {
  const here = place.value.path;
  return pages.map(({ path }) => path).filter((path) => here === path || (path !== "/" && here.startsWith(`${path}/`)))
    .sort((a, b) => b.length - a.length)[0];
}

function Side({ pages }: { pages: PageRow[] }) {
  const list = useRef<HTMLElement>(null);
  const shown = pages.filter(({ group, needs }) => group && (!needs || may(needs)));
  const groups = [...new Set(shown.map(({ group }) => group!))], here = here_of(shown);
  return (
    <nav class="side" aria-label={t("app.navigation")} ref={list}>
      <a class="brand" href={shown[0]?.path ?? "/"}><Brand />{t("app.name")}</a>
      {groups.map((group) => (
        <div key={group}>
          <h2>{t(group)}</h2>
          <ul>
            {shown.filter((page) => page.group === group).map(({ path, title, icon }) => (
              <li key={path}>
                <a href={path} aria-current={path === here ? "page" : undefined}>
                  {icon && <Icon name={icon} />}{t(title)}
                </a>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  );
}
