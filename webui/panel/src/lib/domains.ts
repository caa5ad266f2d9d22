// What the API says of domains, their keys and what DNS has of them.
export interface Key {
  domain: string;
  selector: string;
  type: string;
  active: boolean;
  judged: boolean;
  created?: string | null;
  record_name: string;
  value: string;
}

export interface Domain {
  name: string;
  requires_signing: boolean;
  keys: Key[];
  created: string | null;
}

export type Finding = "ok" | "differs" | "missing" | "dns_failed";

export interface KeyCheck {
  selector: string;
  record_name: string;
  finding: Finding;
  why: string;
  /** The TXT records at the name. */
  found?: string[];
}

/** A selector that no earlier key had: the month, and a letter when that is taken. */
export function new_selector(keys: Key[], today: Date): string {
  const month = `s${today.getFullYear()}${String(today.getMonth() + 1).padStart(2, "0")}`;
  const taken = (name: string) => keys.some((key) => key.selector === name || key.selector.startsWith(`${name}-`));
  for (const letter of ["", ..."abcdefghijklmnopqrstuvwxyz"]) if (!taken(month + letter)) return month + letter;
  return `${month}${keys.length}`;
}
