/* TXT records in the forms that name servers and providers' forms want. */

export interface TxtRecord {
  name: string; /* whole, without the last dot */
  value: string;
}

export const FORMS = ["plain", "bind", "split", "aruba", "cloudflare", "cpanel", "ovh", "plesk", "route53"] as const;
export type Form = (typeof FORMS)[number];

/* Product names are never translated; the first three are words of the catalogue. */
export const PROVIDER_NAMES: Partial<Record<Form, string>> = {
  aruba: "Aruba", cloudflare: "Cloudflare", cpanel: "cPanel", ovh: "OVHcloud", plesk: "Plesk", route53: "Route 53",
};

/* RFC 1035 3.3.14: one string of a TXT record holds 255 octets at most. */
export function split_text(value: string, size = 255): string[] {
  const encoder = new TextEncoder();
  const pieces: string[] = [];
  let piece = "", used = 0;
  for (const character of value) {
    const octets = encoder.encode(character).length;
    if (used + octets > size) {
      pieces.push(piece);
      [piece, used] = ["", 0];
    }
    piece += character;
    used += octets;
  }
  return [...pieces, piece];
}

/* The strings in quotes, as zone files write them. */
export function quoted(value: string): string {
  return split_text(value).map((piece) => `"${piece.replace(/[\\"]/g, '\\$&')}"`).join(' ');
}

/* What most forms call "host": the name without the zone they are about. */
export function relative_name(name: string, zone: string): string {
  if (name === zone) return "@";
  return name.endsWith("." + zone) ? name.slice(0, -zone.length - 1) : name;
}

export function bind_line(record: TxtRecord): string {
  return `${record.name}. 3600 IN TXT ( ${quoted(record.value)} )`;
}

/* The two fields to fill in, or one line to paste (name is then empty). */
export function in_form(form: Form, record: TxtRecord, zone: string): TxtRecord {
  const host = relative_name(record.name, zone);
  switch (form) {
    case "bind":
      return { name: "", value: bind_line(record) };
    case "split":
      return { name: record.name, value: quoted(record.value) };
    case "cpanel":
      return { name: record.name + ".", value: record.value };
    case "route53":
      return { name: host === "@" ? "" : host, value: quoted(record.value) };
    case "aruba": case "cloudflare": case "ovh": case "plesk":
      return { name: host === "@" && form !== "cloudflare" ? "" : host, value: record.value };
    case "plain":
      return record;
  }
}

/* What we advise beside the keys; host is the name this relay sends as. */
export function spf_record(domain: string, host: string): TxtRecord {
  return { name: domain, value: `v=spf1 a:${host} ~all` };
}

export function dmarc_record(domain: string): TxtRecord {
  return { name: `_dmarc.${domain}`, value: `v=DMARC1; p=none; rua=mailto:postmaster@${domain}` };
}
