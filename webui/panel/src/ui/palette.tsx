// One field for everything: pages by name, and what is typed as a search of the queue or the past.
// Here only what opens it.
import { useEffect } from "preact/hooks";
import { signal, useSignal } from "@preact/signals";
import type { PageRow } from "../pages";
import type PaletteField from "./palette_field";

export const palette_open = signal(false);

export function Palette({ pages }: { pages: PageRow[] }) {
  const shown = useSignal<typeof PaletteField | null>(null);
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const element = event.target as HTMLElement;
      const typing = element.closest?.("input, textarea, select, [contenteditable]") !== null;
      const asked = (event.key === "k" && (event.ctrlKey || event.metaKey)) ||
        (event.key === "/" && !typing && !event.ctrlKey && !event.altKey && !event.metaKey);
      if (!asked || document.querySelector("dialog[open]")) return;
      event.preventDefault();
      palette_open.value = true;
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
  useEffect(() => {
    if (palette_open.value && !shown.value) void import("./palette_field").then(
      (module) => { shown.value = module.default; }, () => { palette_open.value = false; });
  }, [palette_open.value]);
  const Field = shown.value;
  return palette_open.value && Field ? <Field pages={pages} onClose={() => { palette_open.value = false; }} /> : null;
}
