// Orders that take a while: asked for, followed to their end, told, and taken back in time.
import { get, part, post } from "./api";
import { number } from "./format";
import { t, tn, type Plural } from "./i18n";
import { complain, say } from "../ui/toast";

export interface Job {
  id: string;
  state: "running" | "done" | "failed" | "cancelled";
  done: number;
  total: number | null;
  undo_until?: string | null;
  detail?: string;
}

export interface Selection {
  filter?: string;
  ids?: string[];
}

export interface Count {
  messages: number;
  recipients: number;
  users: (string | { name: string; recipients?: number; messages?: number })[];
  destinations: (string | { name: string; recipients?: number; messages?: number })[];
}

export type Verb = "retry" | "hold" | "release" | "delete" | "bounce";

export const count = (selection: Selection, verb: Verb): Promise<Count> =>
  post<Count>("/queue/actions", { ...selection, verb, dry_run: true });

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function follow(job: Job): Promise<Job> {
  let latest = job;
  for (let pause = 300; latest.state === "running"; pause = Math.min(3_000, pause * 1.5)) {
    await wait(pause);
    latest = { ...latest, ...(await get<Job>(`/jobs/${part(job.id)}`)) };
  }
  return latest;
}

async function take_back(job: Job, undone: () => void): Promise<void> {
  await follow(await post<Job>(`/jobs/${part(job.id)}:undo`, {}));
  undone();
}

function tell(job: Job, verb: Verb, undone: () => void): void {
  if (job.state === "failed") return say(job.detail || t("job.failed"), { bad: true });
  const until = job.undo_until ? Date.parse(job.undo_until) : 0;
  say(tn(`job.${verb}` as Plural, job.done, { n: number(job.done) }),
    until > Date.now() ? { until, undo: () => take_back(job, undone) } : {});
}

/** Resolves when the server took it; its end is told by a toast, then by `then`, and by `undone` if it was taken back. */
export async function order(selection: Selection, verb: Verb, reason: string, silent: boolean, then: () => void,
  undone: () => void): Promise<void> {
  const job = await post<Job>("/queue/actions", {
    ...selection, verb, dry_run: false, ...(reason && { reason }), ...(silent && { silent }),
  });
  follow(job).then((ended) => { tell(ended, verb, undone); then(); }, complain);
}
