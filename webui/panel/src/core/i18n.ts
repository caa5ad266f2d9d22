// Words in the person's language.  English is always there; the others come when they are chosen.
import { signal } from "@preact/signals";
import { english, type Key } from "../i18n/en";
import type { Language } from "./signals";

export type { Key };
export type Values = Record<string, string | number>;
type Stem<K> = K extends `${infer S}.other` ? S : never;
/** Has ".one" and ".other", chosen by n. */
export type Plural = Stem<Key>;

export const languages: Record<Language, string> = { en: "English", it: "Italiano" };
export const language = signal<Language>("en");

let words: Record<string, string> = english;
let rules = new Intl.PluralRules("en");

function fill(text: string, values?: Values): string {
  return values ? text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole)) : text;
}

export function t(key: Key, values?: Values): string {
  void language.value; // who shows words is drawn again when the language changes
  return fill(words[key] ?? english[key], values);
}

const grouped = { useGrouping: "always" } as unknown as Intl.NumberFormatOptions; // Italian would leave 2300 alone

/** The words of n things; {n} is n as people write it. */
export function tn(stem: Plural, n: number, values?: Values): string {
  const tongue = language.value;
  const form = `${stem}.${rules.select(n)}`;
  const text = words[form] ?? words[`${stem}.other`] ?? stem;
  return fill(text, { n: new Intl.NumberFormat(tongue === "en" ? "en-GB" : tongue, grouped).format(n), ...values });
}

/** For words that the server names: a state, a code.  Without ours, what stands in for it. */
export function word(prefix: string, name: string, instead: string = name, values?: Values): string {
  void language.value;
  const key = `${prefix}.${name}`;
  const text = words[key] ?? (english as Record<string, string>)[key];
  return text === undefined ? instead : fill(text, values);
}

export function has_word(key: string): boolean {
  return key in english;
}

/** The build leaves the keys away: values in the order of the English ones. */
function named(values: Record<string, string> | string[]): Record<string, string> {
  if (!Array.isArray(values)) return values;
  return Object.fromEntries(Object.keys(english).map((key, i) => [key, values[i] ?? ""]));
}

export async function speak(to: Language): Promise<void> {
  const tongue: Language = to in languages ? to : "en";
  words = tongue === "it" ? named((await import("../i18n/it")).italian) : english;
  rules = new Intl.PluralRules(tongue);
  language.value = tongue;
  document.documentElement.lang = tongue;
}

/** What the browser asks for, until somebody is signed in. */
export function preferred(): Language {
  const kept = localStorage.getItem("language");
  if (kept && kept in languages) return kept as Language;
  return navigator.languages.find((name) => name.slice(0, 2) in languages)?.slice(0, 2) as Language ?? "en";
}
