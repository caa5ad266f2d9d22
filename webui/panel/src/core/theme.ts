// Light, dark, or as the system says.  The style sheet does the rest by color-scheme.
import { signal } from "@preact/signals";
import type { Theme } from "./signals";

export const theme = signal<Theme>((localStorage.getItem("theme") as Theme | null) ?? "auto");

export type Density = "roomy" | "dense";
export const density = signal<Density>((localStorage.getItem("density") as Density | null) ?? "roomy");

export function wear(to: Theme): void {
  theme.value = to;
  localStorage.setItem("theme", to);
  document.documentElement.style.colorScheme = to === "auto" ? "light dark" : to;
}

export function set_density(to: Density): void {
  density.value = to;
  localStorage.setItem("density", to);
  document.documentElement.dataset.density = to;
}
