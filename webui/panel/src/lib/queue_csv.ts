// The queue as a table for a spreadsheet: a row for each recipient, asked for page by page.
import { get, type Page } from "../core/api";
import { csv } from "../core/csv";
import type { Message } from "../core/mail";

const HEADS = ["arrived", "id", "user", "sender", "recipient", "state", "attempts", "next", "reply", "size", "class", "campaign", "expires"];
const A_PAGE = 200;
/** More than a spreadsheet opens with pleasure, less than a browser's memory. */
export const MOST_ROWS = 200_000;

export const rows_of = (message: Message) => message.recipients.map((recipient) => [
  message.arrived, message.id, message.user, message.sender, recipient.address, recipient.state, recipient.attempts, recipient.next,
  recipient.reply, message.size, message.class, message.campaign, message.expires,
]);

export interface Exported {
  text: string;
  rows: number;
  /** Everything that matched is in it. */
  whole: boolean;
}

/** told: rows so far. */
export async function export_queue(filter: string, told: (rows: number) => void, stop: AbortSignal): Promise<Exported> {
  const parts = [csv([HEADS])];
  let rows = 0, cursor: string | null = null;
  do {
    const page: Page<Message> = await get<Page<Message>>("/queue", { filter, limit: A_PAGE, recipients: 1000, cursor }, stop);
    const found = page.items.flatMap(rows_of);
    parts.push(csv(found));
    rows += found.length;
    cursor = page.next_cursor ?? null;
    told(rows);
  } while (cursor && rows < MOST_ROWS);
  return { text: parts.join(""), rows, whole: !cursor };
}
