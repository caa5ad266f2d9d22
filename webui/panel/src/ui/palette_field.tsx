// What the palette shows once it is open; loaded then.
import "../bundles/common";
import { useId } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { t } from "../core/i18n";
import { go } from "../core/router";
import { may, session } from "../core/signals";
import type { PageRow } from "../pages";
import { Dialog } from "./dialog";
import { Icon, type IconName } from "./icon";

interface Way {
  title: string;
  to: string;
  icon: IconName;
  note?: string;
}

const plain = (text: string): string => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function ways(pages: PageRow[], text: string): Way[] {
  const wanted = plain(text.trim());
  const found: Way[] = pages
    .filter(({ group, needs, title }) => group && (!needs || may(needs)) && plain(t(title)).includes(wanted))
    .map(({ title, path, icon, group }) => ({ title: t(title), to: path, icon: icon ?? "arrow", note: t(group!) }));
  if (!wanted || session.value?.kind !== "admin") return found;
  const word = encodeURIComponent(text.trim());
  return [
    ...found,
    { title: t("palette.queue", { text: text.trim() }), to: `/queue?filter=${word}`, icon: "queue" },
    { title: t("palette.deliveries", { text: text.trim() }), to: `/deliveries?filter=${word}`, icon: "deliveries" },
    { title: t("palette.logs", { text: text.trim() }), to: `/logs?text=${word}`, icon: "logs" },
    ...(/^(?=.*\d)[\dA-Z]{5,}$/i.test(text.trim())
      ? [{ title: t("palette.message", { text: text.trim() }), to: `/messages/${word}`, icon: "arrow" } as Way] : []),
  ];
}

export default function PaletteField({ pages, onClose }: { pages: PageRow[]; onClose: () => void }) {
  const text = useSignal("");
  const at = useSignal(0);
  const id = useId();
  const found = ways(pages, text.value);
  const take = (way: Way | undefined) => {
    onClose();
    if (way) go(way.to);
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter") take(found[at.value]);
    if (by === undefined) return;
    event.preventDefault();
    at.value = (at.value + by + found.length) % Math.max(1, found.length);
  };
  return (
    <Dialog title={t("app.search")} class="palette" bare onClose={onClose}>
      <input class="input" role="combobox" aria-expanded="true" aria-controls={id} aria-autocomplete="list"
        aria-activedescendant={found.length ? `${id}-${at.value}` : undefined} aria-label={t("app.search")}
        placeholder={t("palette.hint")} value={text.value} maxLength={300} spellcheck={false} autocomplete="off" onKeyDown={press}
        onInput={(event) => { text.value = event.currentTarget.value; at.value = 0; }} />
      <ul role="listbox" id={id} aria-label={t("app.search")}>
        {found.map((way, i) => (
          <li key={way.to} role="option" id={`${id}-${i}`} aria-selected={i === at.value} onClick={() => take(way)}>
            <Icon name={way.icon} /><span class="cut">{way.title}</span>{way.note && <span class="muted">{way.note}</span>}
          </li>
        ))}
      </ul>
      {!found.length && <p class="muted">{t("palette.none")}</p>}
    </Dialog>
  );
}
