// The overview is shown by its page and by the pill in the bar: asked for once, told by the stream.
import { signal } from "@preact/signals";
import { get } from "./api";
import { listen } from "./live";
import { as_problem } from "./resource";
import type { Problem } from "./api";

export interface Cause {
  code: string;
  params?: Record<string, string | number>;
  link?: string;
}

export interface Overview {
  state: "ok" | "attention";
  causes: Cause[];
  tiles: Record<string, number | null>;
  spark: Record<string, (number | null)[] | null>;
  top_destinations: { name: string; queued: number | null; rate: number | null }[];
  top_users: { name: string; accepted: number | null }[];
  certificate?: { name?: string; expires?: string | null; days_left?: number | null; state?: string } | null;
  disk?: { free?: number | null; total?: number | null; state?: string } | null;
  version?: string;
}

export const overview = signal<{ data?: Overview; problem: Problem | null; at: number | null }>({ problem: null, at: null });

export function load_overview(): void {
  get<Overview>("/overview").then(
    (data) => { overview.value = { data, problem: null, at: Date.now() }; },
    (error: unknown) => { overview.value = { ...overview.peek(), problem: as_problem(error) }; });
}

/** Until the returned function is called. */
export function follow_overview(): () => void {
  load_overview();
  const timer = setInterval(() => { if (!document.hidden) load_overview(); }, 30_000);
  const end = listen("overview", (data) => {
    if (data && typeof data === "object" && "tiles" in data)
      overview.value = { data: { ...overview.peek().data, ...data } as Overview, problem: null, at: Date.now() };
    else load_overview();
  });
  return () => {
    clearInterval(timer);
    end();
  };
}
