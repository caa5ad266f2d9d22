// What a page shows of the server: asked for, kept while it is asked again, and kept fresh.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, type Params, Problem, query } from "./api";
import { listen, stale_since } from "./live";

export interface Resource<T> {
  data: T | undefined;
  problem: Problem | null;
  /** Milliseconds of Date at which data came. */
  at: number | null;
  busy: boolean;
  reload(): void;
  set(data: T): void;
}

interface Freshness<T> {
  /** Topics of the stream: an event makes us ask again, at most each two seconds... */
  topics?: string[];
  /** ...unless it carries what we show. */
  hear?: (data: unknown, old: T | undefined) => T | undefined;
  /** Asked again each so many ms whatever comes. */
  every?: number;
}

const CALM_MS = 2_000;
const POLL_MS = 30_000; // while the stream is lost

export const as_problem = (error: unknown): Problem =>
  error instanceof Problem ? error : new Problem(0, { code: "broken", detail: String(error) });

/** path null: nothing is asked yet. */
export function use_resource<T>(path: string | null, params?: Params, fresh: Freshness<T> = {}): Resource<T> {
  const state = useSignal<{ data?: T; problem: Problem | null; at: number | null; busy: boolean }>(
    { problem: null, at: null, busy: path !== null });
  const key = path === null ? null : path + query(params);
  const asked = useRef<AbortController | null>(null);
  const kept = useRef(path);

  const load = () => {
    if (key === null) return;
    asked.current?.abort();
    const control = new AbortController();
    asked.current = control;
    state.value = { ...state.peek(), busy: true };
    get<T>(key, undefined, control.signal).then(
      (data) => { state.value = { data, problem: null, at: Date.now(), busy: false }; },
      (error: unknown) => {
        if (!control.signal.aborted) state.value = { ...state.peek(), problem: as_problem(error), busy: false };
      });
  };

  useEffect(() => {
    if (kept.current !== path) state.value = { problem: null, at: null, busy: true }; // of something else
    kept.current = path;
    load();
    return () => asked.current?.abort();
  }, [key]);

  useEffect(() => {
    if (key === null) return;
    let timer = 0;
    const soon = () => { timer ||= window.setTimeout(() => { timer = 0; load(); }, CALM_MS); };
    const hear = (data: unknown) => {
      const next = data !== null && fresh.hear?.(data, state.peek().data);
      if (next) state.value = { data: next, problem: null, at: Date.now(), busy: false };
      else if (next === undefined || !fresh.hear || data === null) soon();
    };
    const ends = (fresh.topics ?? []).map((topic) => listen(topic, hear));
    const polls = window.setInterval(() => {
      if (!document.hidden && (fresh.every || stale_since.peek() !== null)) load();
    }, fresh.every ?? POLL_MS);
    return () => {
      clearTimeout(timer);
      clearInterval(polls);
      ends.forEach((end) => end());
    };
  }, [key, fresh.topics?.join()]);

  return {
    ...state.value,
    data: state.value.data,
    reload: load,
    set: (data) => { state.value = { ...state.peek(), data, at: Date.now() }; },
  };
}
