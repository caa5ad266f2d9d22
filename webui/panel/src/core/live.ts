// What the server tells without being asked.  One stream for a tab, of the topics that what is shown
// asks for; none while the tab is hidden.  While it is lost, `stale_since` says since when.
import { signal } from "@preact/signals";

type Hear = (data: unknown) => void;

/** Milliseconds of Date; null while the stream stands or was not wanted. */
export const stale_since = signal<number | null>(null);

const PATIENCE_MS = 3_000; // a stream that comes back sooner was never lost to the reader
const hearers = new Map<string, Set<Hear>>();
let source: EventSource | null = null;
let opened = "";
let tries = 0;
let timer = 0;
let alarm = 0;

function lost(): void {
  if (stale_since.value === null && !alarm)
    alarm = window.setTimeout(() => { stale_since.value = Date.now() - PATIENCE_MS; }, PATIENCE_MS);
}

function found(): void {
  clearTimeout(alarm);
  alarm = 0;
  tries = 0;
  const was_stale = stale_since.value !== null;
  stale_since.value = null;
  if (was_stale) for (const set of hearers.values()) for (const hear of set) hear(null); // much may have passed
}

function close(): void {
  source?.close();
  source = null;
  opened = "";
}

function later(wait: number): void {
  clearTimeout(timer);
  timer = window.setTimeout(open, wait);
}

function open(): void {
  const wanted = [...hearers.keys()].sort().join(",");
  if (document.hidden || !wanted) return close();
  if (source && opened === wanted && source.readyState !== EventSource.CLOSED) return;
  close();
  opened = wanted;
  source = new EventSource(`/api/v1/events?topics=${encodeURIComponent(wanted)}`);
  source.onopen = found;
  source.onerror = () => {
    lost();
    if (source?.readyState === EventSource.CLOSED) later(Math.min(30_000, 1000 * 2 ** tries++));
  };
  for (const topic of hearers.keys())
    source.addEventListener(topic.split(":")[0]!, (event) => tell(topic, event as MessageEvent<string>));
}

function tell(topic: string, event: MessageEvent<string>): void {
  let data: unknown = null;
  try {
    data = JSON.parse(event.data);
  } catch {
    return; // half a line of a server that was stopped: the next one says it again
  }
  for (const hear of hearers.get(topic) ?? []) hear(data);
}

/** Calls hear() with each event's data until the returned function is called; null: ask again. */
export function listen(topic: string, hear: Hear): () => void {
  const set = hearers.get(topic) ?? new Set<Hear>();
  set.add(hear);
  hearers.set(topic, set);
  later(50); // a page mounts several at once: one stream for all of them
  return () => {
    set.delete(hear);
    if (!set.size) hearers.delete(topic);
    later(50);
  };
}

/** Somebody signed out: nothing is wanted, and nothing is lost. */
export function hush(): void {
  close();
  clearTimeout(alarm);
  alarm = 0;
  stale_since.value = null;
}

document.addEventListener("visibilitychange", () => { document.hidden ? close() : later(0); });
addEventListener("online", () => later(0));
