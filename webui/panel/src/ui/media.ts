import { signal, type ReadonlySignal } from "@preact/signals";

/** Whether a media query holds, now and later. */
export function media(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query);
  const holds = signal(list.matches);
  list.addEventListener("change", () => { holds.value = list.matches; });
  return holds;
}

export const is_narrow = media("(max-width: 48rem)");
export const is_middling = media("(max-width: 75rem)");
export const is_wide = media("(min-width: 90rem)");
