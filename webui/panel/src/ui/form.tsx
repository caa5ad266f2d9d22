// Fields with their names, hints and faults, and the summary of faults that takes the focus.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Problem } from "../core/api";
import { t } from "../core/i18n";
import { problem_text } from "../core/problem_text";
import { as_problem } from "../core/resource";

interface FieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  name?: string;
  type?: "text" | "password" | "number" | "email" | "search" | "datetime-local" | "date";
  hint?: ComponentChildren;
  fault?: string | null;
  required?: boolean;
  autocomplete?: string;
  placeholder?: string;
  min?: number;
  max?: number;
  mono?: boolean;
  focus?: boolean;
  inputmode?: "numeric" | "text";
  /** Many lines. */
  lines?: number;
  /** The label is only spoken. */
  unseen?: boolean;
}

/** Preact's types want one element for each type; ours is known only here. */
const own_kind = ({ type = "text", min, max, inputmode }: FieldProps): object => ({ type, min, max, inputMode: inputmode });

export function Field(props: FieldProps) {
  const id = useId();
  const ref = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => { if (props.focus) ref.current?.focus(); }, []);
  const shared = {
    id, ref, name: props.name, value: props.value, required: props.required, placeholder: props.placeholder,
    autocomplete: props.autocomplete ?? "off", class: props.mono ? "input mono" : "input", spellcheck: false,
    "aria-invalid": props.fault ? true : undefined,
    "aria-describedby": props.fault || props.hint ? `${id}-more` : undefined,
    onInput: (event: Event) => props.onInput((event.currentTarget as HTMLInputElement).value),
  } as const;
  return (
    <div class="field">
      <label for={id} class={props.unseen ? "unseen" : ""}>{props.label}{!props.required || <span class="muted small"> · {t("form.needed")}</span>}</label>
      {props.lines
        ? <textarea {...shared} rows={props.lines} />
        : <input {...shared} {...own_kind(props)} />}
      {(props.fault || props.hint) && (
        <div id={`${id}-more`}>
          {props.fault && <p class="fault">{props.fault}</p>}
          {props.hint && <p class="hint">{props.hint}</p>}
        </div>
      )}
    </div>
  );
}

export function Choice<T extends string>({ label, value, options, onPick, hint, name, unseen }: {
  label: string; value: T; options: [T, string][]; onPick: (value: T) => void; hint?: string; name?: string; unseen?: boolean;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id} class={unseen ? "unseen" : ""}>{label}</label>
      <select id={id} name={name} class="input" aria-describedby={hint ? `${id}-more` : undefined}
        onChange={(event) => onPick(event.currentTarget.value as T)}>
        {options.map(([key, title]) => <option key={key} value={key} selected={key === value}>{title}</option>)}
      </select>
      {hint && <p id={`${id}-more`} class="hint">{hint}</p>}
    </div>
  );
}

export function Check({ label, value, onToggle, hint }: {
  label: ComponentChildren; value: boolean; onToggle: (value: boolean) => void; hint?: ComponentChildren;
}) {
  return (
    <label class="check">
      <input type="checkbox" checked={value} onChange={(event) => onToggle(event.currentTarget.checked)} />
      <span>{label}{hint && <span class="muted small"><br />{hint}</span>}</span>
    </label>
  );
}

/** Above a form that was refused; labels: the fields' names as people see them. */
export function FaultSummary({ problem, labels = {} }: { problem: Problem | null; labels?: Record<string, string> }) {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => { if (problem) ref.current?.focus(); }, [problem]);
  if (!problem) return null;
  const faults = Object.entries(problem.field_errors);
  return (
    <div class="summary" role="alert" tabIndex={-1} ref={ref}>
      <h2>{t("form.refused")}</h2>
      {faults.length ? <ul>{faults.map(([name, text]) => <li key={name}><b>{labels[name] ?? name}</b>: {text}</li>)}</ul>
        : <p>{problem_text(problem)}</p>}
    </div>
  );
}

/** Runs an order once at a time and keeps what went wrong. */
export function use_order<A extends unknown[]>(order: (...args: A) => Promise<void>) {
  const busy = useSignal(false);
  const problem = useSignal<Problem | null>(null);
  const run = async (...args: A) => {
    if (busy.value) return;
    busy.value = true;
    problem.value = null;
    try {
      await order(...args);
    } catch (error) {
      problem.value = as_problem(error);
    } finally {
      busy.value = false;
    }
  };
  return { run, busy: busy.value, problem: problem.value, forget: () => { problem.value = null; } };
}
