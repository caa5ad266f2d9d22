// The log as it is written: what was asked for first, what the stream adds, what waits while one reads.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, type Page, type Params, type Problem } from "./api";
import { listen } from "./live";
import { as_problem } from "./resource";

export interface LogLine {
  ts: string;
  level: string;
  event: string;
  fields: Record<string, unknown>;
  line: string;
  /** Ascends; unique while the service runs. */
  number?: number;
  /** Ours: unique in this page. */
  n?: number;
}

const MOST = 5_000; // kept in memory; older ones are asked for again
let last = 0;
const numbered = (line: LogLine): LogLine => ({ ...line, n: ++last });

export function fits(line: LogLine, params: Params): boolean {
  const { level, text, event } = params;
  return (!level || line.level === level) && (!event || line.event === event) &&
    (!text || line.line.toLowerCase().includes(String(text).toLowerCase()));
}

export function use_log_tail(params: Params, paused: boolean) {
  const state = useSignal<{ rows: LogLine[]; cursor: string | null; problem: Problem | null; busy: boolean; is_new: boolean }>(
    { rows: [], cursor: null, problem: null, busy: true, is_new: true });
  const waiting = useSignal<LogLine[]>([]);
  const is_paused = useRef(paused);
  const now = useRef(params);
  is_paused.current = paused;
  now.current = params;
  const key = JSON.stringify(params);

  const show = (lines: LogLine[]) => {
    // A line may come twice: by the question, and by the stream that was opened before its answer.
    const newest = state.peek().rows[0]?.number ?? -1;
    const fresh = lines.filter(({ number = Infinity }) => number > newest);
    state.value = { ...state.peek(), rows: [...fresh, ...state.peek().rows].slice(0, MOST) };
  };
  const load = (cursor: string | null) => {
    state.value = { ...state.peek(), busy: true };
    const asked = key;
    get<Page<LogLine>>("/logs", { limit: 200, ...params, cursor }).then(
      (page) => {
        if (asked !== JSON.stringify(now.current)) return; // an older question's answer
        const rows = page.items.map(numbered);
        state.value = { rows: cursor ? [...state.peek().rows, ...rows] : rows, cursor: page.next_cursor ?? null, problem: null, busy: false, is_new: false };
      },
      (error: unknown) => { state.value = { ...state.peek(), problem: as_problem(error), busy: false }; });
  };

  useEffect(() => {
    waiting.value = [];
    load(null);
    return listen("logs", (event) => {
      if (event === null) return load(null); // the stream was away
      const lines = (Array.isArray(event) ? event : [event]) as LogLine[];
      const ours = lines.filter((line) => fits(line, now.current)).map(numbered).reverse();
      if (!ours.length) return;
      if (is_paused.current) waiting.value = [...ours, ...waiting.peek()].slice(0, MOST);
      else show(ours);
    });
  }, [key]);

  useEffect(() => {
    if (paused || !waiting.peek().length) return;
    show(waiting.peek());
    waiting.value = [];
  }, [paused]);

  const { cursor, ...shown } = state.value;
  return { ...shown, waiting: waiting.value.length, reload: () => load(null), more: cursor && !shown.busy ? () => load(cursor) : null };
}
