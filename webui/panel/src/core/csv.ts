// Tables as text for other programs.  Pure, but for download().

/** RFC 4180; what a spreadsheet would run as a formula is text (what came by mail is in here). */
export function csv_cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n;]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function csv(rows: (string | number | null | undefined)[][]): string {
  return rows.map((row) => `${row.map(csv_cell).join(",")}\r\n`).join("");
}

export function download(name: string, content: string | Blob, type = "text/csv"): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type: `${type};charset=utf-8` }) : content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}
