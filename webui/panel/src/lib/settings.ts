// Rows of GET /config, and which of them somebody looks for.
export interface Setting {
  section: string | null;
  title: string | null;
  name: string;
  value: string;
  default: string;
  type: string;
  bounds: string;
  changed: boolean;
  needs_restart: boolean;
  help: string;
}

export interface Group {
  name: string;
  rows: Setting[];
}

/** In the order of the file: a section with its title is a group. */
export function grouped(settings: Setting[], general: string): Group[] {
  const groups: Group[] = [];
  for (const row of settings) {
    const name = row.section ? row.section + (row.title ? ` “${row.title}”` : "") : general;
    const last = groups[groups.length - 1];
    if (last?.name === name) last.rows.push(row);
    else groups.push({ name, rows: [row] });
  }
  return groups;
}

/** Every word must occur somewhere in the row. */
export function fits(row: Setting, text: string): boolean {
  const whole = [row.section, row.title, row.name, row.value, row.help].join(" ").toLowerCase();
  return text.toLowerCase().split(/\s+/).every((word) => whole.includes(word));
}

export function setting(settings: Setting[], section: string | null, name: string): string {
  return settings.find((row) => row.section === section && row.name === name)?.value ?? "";
}
