// The catalogue as the build packs it (build.mjs): groups apart by an empty line, each with its name and
// then its words, "key=text".
export function unpacked(text: string): Record<string, string> {
  const words: Record<string, string> = {};
  for (const group of text.split("\n\n")) {
    const [name, ...lines] = group.split("\n");
    for (const line of lines) {
      const at = line.indexOf("=");
      words[`${name}.${line.slice(0, at)}`] = line.slice(at + 1);
    }
  }
  return words;
}
