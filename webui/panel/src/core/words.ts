// The filter words of lists: `user:shop dest:gmail.com reply:"mailbox full" text`.  Pure.

export interface Word {
  /** "" for plain text. */
  name: string;
  value: string;
  /** A name before a colon that this list does not know. */
  unknown?: boolean;
}

const pattern = /([a-z]+):(?:"([^"]*)"?|(\S*))|"([^"]*)"?|(\S+)/gi;

export function parse_words(text: string, known: string[]): Word[] {
  return [...text.matchAll(pattern)].map(([whole, name = "", quoted, plain, alone_quoted, alone]) => {
    if (!name) return { name: "", value: alone_quoted ?? alone ?? whole };
    const value = quoted ?? plain ?? "";
    return known.includes(name.toLowerCase()) ? { name: name.toLowerCase(), value } : { name, value, unknown: true };
  });
}

const quote = (value: string): string => (/^[^\s":]+$/.test(value) ? value : `"${value.replaceAll('"', "")}"`);
const quote_value = (value: string): string => (/^[^\s"]+$/.test(value) ? value : `"${value.replaceAll('"', "")}"`);

export function print_words(words: Word[]): string {
  return words.map(({ name, value }) => (name ? `${name}:${quote_value(value)}` : quote(value))).join(" ");
}

/** The same search with this word set, once. */
export function with_word(text: string, known: string[], name: string, value: string): string {
  const others = parse_words(text, known).filter((word) => word.name !== name);
  return print_words(value ? [...others, { name, value }] : others);
}
