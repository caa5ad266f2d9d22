// One order for many messages: first how many and whose, then why, and for much of it the number typed.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Problem } from "../core/api";
import { list, number } from "../core/format";
import { t, tn, type Key, type Plural } from "../core/i18n";
import { type Count, count, order, type Selection, type Verb } from "../core/jobs";
import { as_problem } from "../core/resource";
import { Button } from "../ui/button";
import { FormDialog } from "../ui/dialog";
import { Check, Field, use_order } from "../ui/form";
import type { IconName } from "../ui/icon";
import { ErrorBox, Skeleton } from "../ui/states";

const MANY = 1_000;

export const verbs: [Verb, IconName][] = [["retry", "retry"], ["hold", "hand"], ["release", "play"], ["delete", "bin"]];

export function VerbButtons({ onPick, small }: { onPick: (verb: Verb) => void; small?: boolean }) {
  return (
    <>
      {verbs.map(([verb, icon]) => (
        <Button key={verb} small={small ?? false} icon={icon} kind={verb === "delete" ? "danger" : undefined} onClick={() => onPick(verb)}>
          {t(`verb.${verb}` as Key)}
        </Button>
      ))}
    </>
  );
}

const name_of = (entry: Count["users"][number]): string => (typeof entry === "string" ? entry : entry.name);

export function some(names: Count["users"]): string {
  const shown = names.slice(0, 3).map(name_of);
  const rest = names.length - shown.length;
  return list(rest > 0 ? [...shown, tn("bulk.others", rest)] : shown);
}

function use_count(selection: Selection, verb: Verb): { found: Count | null; problem: Problem | null } {
  const found = useSignal<Count | null>(null);
  const problem = useSignal<Problem | null>(null);
  useEffect(() => {
    count(selection, verb).then((counted) => { found.value = counted; }, (error: unknown) => { problem.value = as_problem(error); });
  }, []);
  return { found: found.value, problem: problem.value };
}

export function BulkDialog({ selection, verb, onClose, onDone, onUndone }: {
  selection: Selection; verb: Verb; onClose: () => void; onDone: () => void; onUndone: () => void;
}) {
  const { found, problem } = use_count(selection, verb);
  const reason = useSignal(""), typed = useSignal(""), report = useSignal(false);
  const deletes = verb === "delete";
  const run = use_order(async () => {
    await order(selection, deletes && report.value ? "bounce" : verb, reason.value.trim(), deletes && !report.value, onDone, onUndone);
    onClose();
  });
  const n = found?.recipients ?? 0;
  const must_type = deletes && n > MANY;
  const ready = found && n > 0 && (!deletes || reason.value.trim()) && (!must_type || typed.value.replace(/\D/g, "") === String(n));
  return (
    <FormDialog title={t(`bulk.${verb}` as Key)} submit={t(`verb.${verb}` as Key)} kind={deletes ? "danger primary" : "primary"}
      busy={run.busy} problem={run.problem} disabled={!ready} onClose={onClose} onSubmit={() => void run.run()}>
      {problem ? <ErrorBox problem={problem} /> : !found ? <Skeleton lines={2} /> : <Preview found={found} />}
      <Field label={t("field.reason")} value={reason.value} required={deletes} hint={t("bulk.reason_hint")}
        onInput={(value) => { reason.value = value; }} />
      {deletes && <Check label={t("bulk.report")} hint={t("bulk.report_hint")} value={report.value} onToggle={(on) => { report.value = on; }} />}
      {must_type && (
        <Field label={t("bulk.type", { n: number(n) })} value={typed.value} inputmode="numeric" onInput={(value) => { typed.value = value; }} />
      )}
    </FormDialog>
  );
}

function Preview({ found }: { found: Count }) {
  if (!found.recipients) return <p>{t("bulk.none")}</p>;
  return (
    <div class="stack tight">
      <p><b>{tn("bulk.count" as Plural, found.recipients)}</b> {tn("bulk.messages", found.messages)}</p>
      {found.users.length > 0 && <p class="muted break">{tn("bulk.users", found.users.length)}: {some(found.users)}</p>}
      {found.destinations.length > 0 && (
        <p class="muted break">{tn("bulk.destinations", found.destinations.length)}: {some(found.destinations)}</p>
      )}
    </div>
  );
}
