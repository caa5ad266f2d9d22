// A list that the server gives page by page.  What is on the screen does not move under the reader:
// when the list has changed, `changed` says so, and only who is at its first page sees it renewed.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, type Page, type Params, type Problem, query } from "./api";
import { listen, stale_since } from "./live";
import { as_problem } from "./resource";

export interface List<T> {
  rows: T[];
  problem: Problem | null;
  /** The first page was never here. */
  is_new: boolean;
  busy: boolean;
  total: number | null;
  estimate: boolean;
  more: (() => void) | null;
  changed: boolean;
  reload(): void;
}

interface State<T> {
  rows: T[];
  cursor: string | null;
  total: number | null;
  estimate: boolean;
  problem: Problem | null;
  is_new: boolean;
  busy: boolean;
  changed: boolean;
}

const fresh = <T>(): State<T> => ({
  rows: [], cursor: null, total: null, estimate: false, problem: null, is_new: true, busy: true, changed: false,
});
const CALM_MS = 3_000;
const POLL_MS = 30_000;
const SIZE = 200;

export function use_list<T>(path: string, params: Params, options: { topics?: string[]; still?: () => boolean } = {}): List<T> {
  const state = useSignal<State<T>>(fresh());
  const key = path + query({ limit: SIZE, ...params });
  const asked = useRef<AbortController | null>(null);

  const load = (cursor: string | null) => {
    asked.current?.abort();
    const control = new AbortController();
    asked.current = control;
    state.value = { ...state.peek(), busy: true };
    get<Page<T>>(path, { limit: SIZE, ...params, cursor }, control.signal).then(
      (page) => {
        const old = cursor ? state.peek() : fresh<T>();
        state.value = {
          rows: [...old.rows, ...page.items], cursor: page.next_cursor ?? null, problem: null, is_new: false, busy: false,
          total: page.total ?? old.total ?? (page.next_cursor ? null : old.rows.length + page.items.length),
          estimate: page.total_is_estimate ?? false, changed: cursor ? state.peek().changed : false,
        };
      },
      (error: unknown) => {
        if (!control.signal.aborted) state.value = { ...state.peek(), problem: as_problem(error), busy: false };
      });
  };

  useEffect(() => {
    state.value = { ...state.peek(), is_new: state.peek().rows.length === 0 };
    load(null);
    let timer = 0;
    const renew = () => {
      timer = 0;
      if (state.peek().rows.length <= SIZE && scrollY < 200 && !options.still?.()) load(null);
      else state.value = { ...state.peek(), changed: true };
    };
    const ends = (options.topics ?? []).map((topic) => listen(topic, () => { timer ||= window.setTimeout(renew, CALM_MS); }));
    const polls = window.setInterval(() => { if (!document.hidden && stale_since.peek() !== null) renew(); }, POLL_MS);
    return () => {
      asked.current?.abort();
      clearTimeout(timer);
      clearInterval(polls);
      ends.forEach((end) => end());
    };
  }, [key]);

  const { cursor, ...shown } = state.value;
  return { ...shown, more: cursor && !shown.busy && !shown.problem ? () => load(cursor) : null, reload: () => load(null) };
}
