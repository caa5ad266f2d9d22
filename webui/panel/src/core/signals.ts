// What the panel knows of itself, in one place, so that modules need not import each other for it.
import { signal } from "@preact/signals";

export type Role = "viewer" | "operator" | "admin" | "owner";
export type Language = "en" | "it";
export type Theme = "auto" | "light" | "dark";

export interface Session {
  user: string;
  kind: "admin" | "user";
  role: Role | "user";
  language: Language | "";
  theme: Theme | "";
  confirmed_until: string | null;
  second_factor: boolean;
}

/** undefined: not asked yet; null: nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined);

/** Something waits for the person to show again who they are; the dialog calls it with the outcome. */
export const confirmation = signal<((confirmed: boolean) => void) | null>(null);

const ranks: Role[] = ["viewer", "operator", "admin", "owner"];

/** Whether who is signed in may do what needs this role.  The server decides; this only hides. */
export function may(role: Role): boolean {
  const own = session.value?.role;
  return own !== undefined && own !== "user" && ranks.indexOf(own) >= ranks.indexOf(role);
}
