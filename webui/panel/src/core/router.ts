// Paths of the panel, by the browser's own history.
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  words: URLSearchParams;
}

function here(): Place {
  return { path: location.pathname.replace(/(.)\/+$/, "$1"), words: new URLSearchParams(location.search) };
}

export const place = signal<Place>(here());

addEventListener("popstate", () => { place.value = here(); });

/** replace: the place changes, but "back" leaves the page (a filter that is being typed). */
export function go(to: string, replace = false): void {
  if (to === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  place.value = here();
  if (!replace) scrollTo(0, 0);
}

/** The words of the place's query, changed; empty ones leave. */
export function set_words(changes: Record<string, string>): void {
  const words = new URLSearchParams(place.value.words);
  for (const [name, value] of Object.entries(changes))
    if (value) words.set(name, value);
    else words.delete(name);
  const text = words.toString();
  go(place.value.path + (text && `?${text}`), true);
}

/** Links inside the panel do not load the page anew; with a modifier the browser does as always. */
export function follow(event: MouseEvent): void {
  const link = (event.target as Element | null)?.closest?.("a");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  if (link.origin !== location.origin || link.target || link.hasAttribute("download")) return;
  if (link.pathname.startsWith("/api/") || link.pathname.endsWith(".txt")) return;
  if (link.hash && link.pathname === location.pathname) return;
  event.preventDefault();
  go(link.pathname + link.search);
}

/** "/messages/{id}" against "/messages/a%2Fb": {id: "a/b"}; null where it does not fit. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const names = pattern.split("/"), parts = path.split("/");
  const found: Record<string, string> = {};
  if (names.length !== parts.length) return null;
  for (const [i, name] of names.entries()) {
    const value = parts[i] ?? "";
    try {
      if (name.startsWith("{")) found[name.slice(1, -1)] = decodeURIComponent(value);
      else if (name !== value) return null;
    } catch {
      return null; // %-escapes that are none
    }
  }
  return found;
}
