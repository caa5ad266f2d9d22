// Every page: its path, what loads it, where it stands in the navigation.
import type { ComponentType } from "preact";
import type { Key } from "./core/i18n";
import type { Role } from "./core/signals";
import type { IconName } from "./ui/icon";

type Load = () => Promise<{ default: ComponentType<PageProps> }>;

/** One of the pages of a bundle. */
function picked<N extends string>(load: () => Promise<Record<N, ComponentType<PageProps>>>): (name: N) => Load {
  return (name) => () => load().then((bundle) => ({ default: bundle[name] }));
}

const from_entrance = picked(() => import("./bundles/entrance"));
const from_charts = picked(() => import("./bundles/charts"));
const from_manage = picked(() => import("./bundles/manage"));
const from_mine = picked(() => import("./bundles/mine"));
const from_overview = picked(() => import("./bundles/overview"));
const from_traffic = picked(() => import("./bundles/traffic"));

export interface PageProps {
  /** What the path's {names} stand for. */
  params: Record<string, string>;
}

export interface PageRow {
  path: string;
  title: Key;
  load: Load;
  icon?: IconName;
  /** Its group in the navigation; without one it is reached from other pages only. */
  group?: Key;
  needs?: Role;
}

export const admin_pages: PageRow[] = [
  { path: "/", title: "nav.overview", icon: "overview", group: "nav.now", load: from_overview("Overview") },
  { path: "/destinations", title: "nav.destinations", icon: "destinations", group: "nav.now", load: from_traffic("Destinations") },
  { path: "/queue", title: "nav.queue", icon: "queue", group: "nav.now", load: from_traffic("Queue") },
  { path: "/messages/{id}", title: "nav.message", load: from_traffic("Message") },
  { path: "/deliveries", title: "nav.deliveries", icon: "deliveries", group: "nav.history", load: from_traffic("Deliveries") },
  { path: "/logs", title: "nav.logs", icon: "logs", group: "nav.history", load: from_traffic("Logs") },
  { path: "/graphs", title: "nav.graphs", icon: "graphs", group: "nav.history", load: from_charts("Graphs") },
  { path: "/users", title: "nav.users", icon: "users", group: "nav.senders", load: from_manage("Users") },
  { path: "/users/{name}", title: "nav.users", load: from_manage("User") },
  { path: "/domains", title: "nav.domains", icon: "domains", group: "nav.senders", load: from_manage("Domains") },
  { path: "/domains/{name}", title: "nav.domains", load: from_manage("Domain") },
  { path: "/networks", title: "nav.networks", icon: "networks", group: "nav.senders", load: from_manage("Networks") },
  { path: "/diagnostics", title: "nav.diagnostics", icon: "diagnostics", group: "nav.care", needs: "operator", load: from_traffic("Diagnostics") },
  { path: "/settings", title: "nav.settings", icon: "settings", group: "nav.system", load: from_manage("Settings") },
  { path: "/access", title: "nav.access", icon: "access", group: "nav.system", needs: "admin", load: from_manage("Access") },
  { path: "/audit", title: "nav.audit", icon: "audit", group: "nav.system", needs: "admin", load: from_manage("Audit") },
  { path: "/about", title: "nav.about", icon: "about", group: "nav.system", load: from_manage("About") },
  { path: "/account", title: "nav.account", load: from_manage("Account") },
  { path: "/setup", title: "setup.title", needs: "admin", load: from_manage("SetupSteps") },
];

/** Of SMTP users: only what is theirs. */
export const user_pages: PageRow[] = [
  { path: "/me", title: "me.sending", icon: "overview", group: "nav.mine", load: from_mine("Sending") },
  { path: "/me/deliveries", title: "me.deliveries", icon: "deliveries", group: "nav.mine", load: from_mine("Deliveries") },
  { path: "/me/program", title: "me.program", icon: "setup", group: "nav.mine", load: from_mine("Program") },
  { path: "/me/dns", title: "me.dns", icon: "domains", group: "nav.mine", load: from_mine("Dns") },
  { path: "/account", title: "nav.account", icon: "me", group: "nav.mine", load: from_manage("Account") },
];

/** Before anybody is signed in. */
export const outside = {
  login: from_entrance("Login"),
  setup: from_entrance("Setup"),
};
