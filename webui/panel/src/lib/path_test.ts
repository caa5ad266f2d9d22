// A test of the way to an address, step by step, as the service tells it.  Pure.

export type Verdict = "ok" | "warn" | "fail";

export interface Step {
  n: number;
  /** Which of our addresses it is about; "" before one is chosen. */
  egress: string;
  step: string;
  verdict: Verdict;
  code: string;
  params: Record<string, string>;
  /** English, the service's own. */
  sentence: string;
  /** Since the step before. */
  ms: number;
}

export interface PathJob {
  id: string;
  state: "running" | "done" | "cancelled" | "failed";
  address: string;
  egress: string | null;
  started: string | null;
  verdict: Verdict;
  steps?: Step[];
  /** Of an event: the newest. */
  step?: Step;
}

/** What an event adds to what is known; null: something was missed, so it must be asked for again. */
export function told(job: PathJob, event: Partial<PathJob>): PathJob | null {
  const steps = job.steps ?? [];
  const next = { ...job, ...event, steps };
  if (!event.step) return next;
  if (event.step.n < steps.length) return next;
  return event.step.n === steps.length ? { ...next, steps: [...steps, event.step] } : null;
}

/** Sentences by step and code, in another language than the service's English. */
export type Sentences = Record<string, string>;

export function sentence_of({ step, code, params, sentence }: Step, own: Sentences): string {
  const text = own[`${step}.${code}`] ?? own[code];
  return text ? text.replace(/\{(\w+)\}/g, (hole, name: string) => params[name] ?? hole).trim() : sentence;
}

export interface Way {
  egress: string;
  steps: Step[];
  verdict: Verdict;
  ms: number;
}

const order: Verdict[] = ["ok", "warn", "fail"];
export const worst = (steps: Step[]): Verdict =>
  order[Math.max(0, ...steps.map(({ verdict }) => order.indexOf(verdict)))] ?? "ok";

/** One for each address of ours; what came before is of all of them and stands under "". */
export function ways_of(steps: Step[]): Way[] {
  const groups = new Map<string, Step[]>();
  for (const step of steps) groups.set(step.egress, [...groups.get(step.egress) ?? [], step]);
  return [...groups].map(([egress, own]) => ({ egress, steps: own, verdict: worst(own), ms: own.reduce((sum, { ms }) => sum + ms, 0) }));
}

/** The kinds of step that any of them came to, in the order of the first time. */
export const kinds_of = (ways: Way[]): string[] => [...new Set(ways.flatMap(({ steps }) => steps.map(({ step }) => step)))];

export function as_text(job: PathJob, own: Sentences): string {
  const marks = { ok: "[ok]  ", warn: "[warn]", fail: "[FAIL]" };
  const lines = ways_of(job.steps ?? []).flatMap(({ egress, steps }) => [
    ...(egress ? ["", egress] : []),
    ...steps.map((step) => `${marks[step.verdict]} ${step.step.padEnd(9)} ${String(step.ms).padStart(6)} ms  ${sentence_of(step, own)}`),
  ]);
  return [`${job.address}  ${job.started ?? ""}`, ...lines, ""].join("\n");
}
