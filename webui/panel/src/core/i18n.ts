// Words in the person's language.  English is always there, that of some bundles as soon as they are; the
// others come when they are chosen.
import { signal } from "@preact/signals";
import type { Key } from "../i18n/en";
import { first } from "../i18n/first";
import type { Language } from "./signals";

export type { Key };
export type Values = Record<string, string | number>;
type Stem<K> = K extends `${infer S}.other` ? S : never;
/** Has ".one" and ".other", chosen by n. */
export type Plural = Stem<Key>;

export const languages: Record<Language, string> = { en: "English", it: "Italiano" };
export const language = signal<Language>("en");

const english: Record<string, string> = { ...first };
let translated: Record<string, string> | string[] | null = null;
let words = english;
let rules = new Intl.PluralRules("en");

function fill(text: string, values?: Values): string {
  return values ? text.replace(/\{(\w+)\}/g, (hole, name: string) => String(values[name] ?? hole)) : text;
}

export function t(key: Key, values?: Values): string {
  void language.value; // who shows words is drawn again when the language changes
  return fill(words[key] ?? english[key] ?? key, values);
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
  const text = words[key] ?? english[key];
  return text === undefined ? instead : fill(text, values);
}

export function has_word(key: string): boolean {
  return key in english;
}

/** English words that come with a bundle, before it draws. */
export function learn(more: Record<string, string>): void {
  Object.assign(english, more);
  words = named(translated);
}

/** The build leaves the keys away: values in the order of the English ones, the first ones first. */
function named(values: typeof translated): Record<string, string> {
  if (!values) return english;
  if (!Array.isArray(values)) return values;
  return Object.fromEntries(Object.keys(english).map((key, i) => [key, values[i] ?? ""]));
}

export async function speak(to: Language): Promise<void> {
  const tongue: Language = to in languages ? to : "en";
  translated = tongue === "it" ? (await import("../i18n/it")).italian : null;
  words = named(translated);
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
