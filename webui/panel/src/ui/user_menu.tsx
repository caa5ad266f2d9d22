// Language, theme, density, and the way out.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { language, languages, t, word } from "../core/i18n";
import { place } from "../core/router";
import { prefer, sign_out } from "../core/session";
import { type Language, session, type Theme } from "../core/signals";
import { density, type Density, set_density, theme } from "../core/theme";
import { Button, ButtonLink, Segments } from "./button";

const own_languages = Object.entries(languages) as [Language, string][];

export function UserMenu() {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const who = session.value;
  useEffect(() => { open.value = false; }, [place.value]);
  useEffect(() => {
    if (!open.value) return;
    const leave = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === "Escape" : !box.current?.contains(event.target as Node)) {
        open.value = false;
        if (event instanceof KeyboardEvent) box.current?.querySelector("button")?.focus();
      }
    };
    addEventListener("pointerdown", leave);
    addEventListener("keydown", leave);
    return () => {
      removeEventListener("pointerdown", leave);
      removeEventListener("keydown", leave);
    };
  }, [open.value]);
  return (
    <div class="menu" ref={box}>
      <button type="button" class="button quiet square" aria-expanded={open.value} title={who?.user ?? ""}
        aria-label={t("menu.open", { user: who?.user ?? "" })} onClick={() => { open.value = !open.value; }}>
        <span class="face" aria-hidden="true">{(who?.user ?? "?").slice(0, 1).toUpperCase()}</span>
      </button>
      {open.value && who && (
        <div>
          <div class="line"><b class="cut">{who.user}</b><span class="muted small">{word("role", who.role)}</span></div>
          <Preferences />
          <ButtonLink href="/account" icon="me">{t("nav.account")}</ButtonLink>
          <Button onClick={() => void sign_out()}>{t("menu.leave")}</Button>
        </div>
      )}
    </div>
  );
}

/** Also shown where nobody is signed in. */
export function Preferences() {
  return (
    <>
      <div class="field"><span class="label small">{t("menu.language")}</span>
        <Segments label={t("menu.language")} options={own_languages} value={language.value}
          onPick={(value) => void prefer({ language: value })} /></div>
      <div class="field"><span class="label small">{t("menu.theme")}</span>
        <Segments<Theme> label={t("menu.theme")} value={theme.value} onPick={(value) => void prefer({ theme: value })}
          options={[["auto", t("theme.system")], ["light", t("theme.light")], ["dark", t("theme.dark")]]} /></div>
      <div class="field"><span class="label small">{t("menu.density")}</span>
        <Segments<Density> label={t("menu.density")} value={density.value} onPick={set_density}
          options={[["roomy", t("density.roomy")], ["dense", t("density.dense")]]} /></div>
    </>
  );
}
