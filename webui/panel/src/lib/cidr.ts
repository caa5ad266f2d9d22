// How many addresses a network has, as far as a warning needs to know.

/** Bits left to the hosts; null: not an address or CIDR that we can read. */
export function host_bits(text: string): number | null {
  const found = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/i.exec(text.trim());
  if (!found) return null;
  const width = found[1]!.includes(":") ? 128 : 32;
  const length = found[2] === undefined ? width : Number(found[2]);
  return length > width ? null : width - length;
}

/** More than a /24 (IPv4) or a /64 (IPv6): said, never refused here. */
export function is_wide(text: string): boolean {
  const bits = host_bits(text);
  return bits !== null && bits > (text.includes(":") ? 64 : 8);
}
