// What DNS has against what it should have: which characters, and which usual mistake.  Pure.

export interface Piece {
  text: string;
  /** Of what is published: the same, too much, or lacking. */
  kind: "same" | "extra" | "lacks";
}

const MOST = 2_000; // characters of either that are compared one by one

/** The published text with what must go and what must come, by the longest common subsequence. */
export function compared(wanted: string, found: string): Piece[] {
  let head = 0, tail = 0;
  const shorter = Math.min(wanted.length, found.length);
  while (head < shorter && wanted[head] === found[head]) head++;
  while (tail < shorter - head && wanted[wanted.length - 1 - tail] === found[found.length - 1 - tail]) tail++;
  const pieces: Piece[] = [];
  const add = (kind: Piece["kind"], text: string) => {
    const last = pieces.at(-1);
    if (last?.kind === kind) last.text += text;
    else if (text) pieces.push({ kind, text });
  };
  add("same", wanted.slice(0, head));
  middle(wanted.slice(head, wanted.length - tail), found.slice(head, found.length - tail), add);
  add("same", wanted.slice(wanted.length - tail));
  return pieces;
}

function middle(wanted: string, found: string, add: (kind: Piece["kind"], text: string) => void): void {
  const rows = wanted.length, columns = found.length;
  if (!rows || !columns || rows > MOST || columns > MOST) {
    add("extra", found);
    return add("lacks", wanted);
  }
  const length = Array.from({ length: rows + 1 }, () => new Uint16Array(columns + 1));
  for (let i = rows - 1; i >= 0; i--)
    for (let k = columns - 1; k >= 0; k--)
      length[i]![k] = wanted[i] === found[k] ? length[i + 1]![k + 1]! + 1 : Math.max(length[i + 1]![k]!, length[i]![k + 1]!);
  let i = 0, k = 0;
  while (i < rows || k < columns)
    if (i < rows && k < columns && wanted[i] === found[k]) { add("same", wanted[i++]!); k++; }
    else if (k < columns && (i === rows || length[i]![k + 1]! >= length[i + 1]![k]!)) add("extra", found[k++]!);
    else add("lacks", wanted[i++]!);
}

export type Fault = "quotes" | "cut" | "several" | "spaces" | "other_key";

const bare = (text: string): string => text.replace(/[\s"\\]/g, "");

/** The usual mistakes, the plainest first; null: something else. */
export function fault_of(wanted: string, found: string[]): Fault | null {
  const text = found.find((one) => /v=DKIM1|p=/.test(one)) ?? found[0] ?? "";
  if (found.length > 1) return "several";
  if (text.includes('"') && bare(text) === bare(wanted)) return "quotes";
  if (text.length >= 20 && text.length < wanted.length && wanted.startsWith(text)) return "cut";
  if (bare(text) === bare(wanted)) return "spaces";
  return /p=[\w+/]/.test(text) ? "other_key" : null;
}
