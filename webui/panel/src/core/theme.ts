// Light, dark, or as the system says.  The style sheet does the rest by color-scheme.
import { signal } from "@preact/signals";
import type { Theme } from "./signals";

export const theme = signal<Theme>((localStorage.getItem("theme") as Theme | null) ?? "auto");
/** Changes whenever the colours do: what is drawn on a canvas must be drawn again. */
export const colours = signal(0);

export type Density = "roomy" | "dense";
export const density = signal<Density>((localStorage.getItem("density") as Density | null) ?? "roomy");

export function wear(to: Theme): void {
  theme.value = to;
  localStorage.setItem("theme", to);
  document.documentElement.style.colorScheme = to === "auto" ? "light dark" : to;
  colours.value++;
}

export function set_density(to: Density): void {
  density.value = to;
  localStorage.setItem("density", to);
  document.documentElement.dataset.density = to;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { colours.value++; });

/** A token's colour as a canvas understands it: getPropertyValue() leaves light-dark() unresolved. */
export function colour(token: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${token})`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}
