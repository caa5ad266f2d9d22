// Searches kept under a name.  In the browser, by who is signed in: a view is a filter of a line, which
// its address holds too and so can be sent to somebody; the server would need a table for it.
import { place, set_words } from "../core/router";
import { session } from "../core/signals";

export interface View {
  name: string;
  filter: string;
}

const MOST = 20;
const key = (page: string): string => `views ${page} ${session.value?.user ?? ""}`;

export function views_of(page: string): View[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(page)) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one): one is View => typeof one?.name === "string" && typeof one?.filter === "string") : [];
  } catch {
    return []; // something else wrote there
  }
}

/** Another of the same name gives way; the oldest goes when there are too many. */
export function with_view(views: View[], view: View): View[] {
  return [...views.filter(({ name }) => name !== view.name), view].slice(-MOST);
}

export function keep_views(page: string, views: View[]): void {
  localStorage.setItem(key(page), JSON.stringify(views));
}

export const show_view = ({ filter }: View): void => set_words({ filter });
export const is_shown = ({ filter }: View): boolean => filter === (place.value.words.get("filter") ?? "");
