// Around the pages for who is not signed in: name, page, language and theme.
import type { ComponentChildren } from "preact";
import { language, languages, t } from "../core/i18n";
import { prefer } from "../core/session";
import type { Language } from "../core/signals";
import { Segments } from "./button";
import { Brand } from "./icon";

export function Entrance({ children, wide }: { children: ComponentChildren; wide?: boolean }) {
  return (
    <div class="narrow">
      <main class={wide ? "wide entrance" : "entrance"} id="page">
        <div class="line">
          <div class="brand grow"><Brand />{t("app.name")}</div>
          <Segments<Language> label={t("menu.language")} value={language.value}
            options={Object.entries(languages) as [Language, string][]} onPick={(value) => void prefer({ language: value })} />
        </div>
        {children}
      </main>
    </div>
  );
}
