// Every page: its path, what loads it, where it stands in the navigation.
import type { ComponentType } from "preact";
import type { Key } from "./core/i18n";
import type { Role } from "./core/signals";
import type { IconName } from "./ui/icon";

export interface PageProps {
  /** What the path's {names} stand for. */
  params: Record<string, string>;
}

export interface PageRow {
  path: string;
  title: Key;
  load: () => Promise<{ default: ComponentType<PageProps> }>;
  icon?: IconName;
  /** Its group in the navigation; without one it is reached from other pages only. */
  group?: Key;
  needs?: Role;
}

export const admin_pages: PageRow[] = [
  { path: "/", title: "nav.overview", icon: "overview", group: "nav.now", load: () => import("./pages/overview") },
];

/** Of SMTP users: only what is theirs. */
export const user_pages: PageRow[] = [];

/** Before anybody is signed in. */
export const outside = {
  login: () => import("./pages/login"),
  setup: () => import("./pages/login"), // until the wizard is here
};
