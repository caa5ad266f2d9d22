// Short news of what was just done, with the way back where there is one.
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../core/api";
import { t } from "../core/i18n";
import { problem_text } from "../core/problem_text";
import { Button } from "./button";
import { keep_focus } from "./focus";

interface Toast {
  id: number;
  text: string;
  bad?: boolean;
  /** Milliseconds of Date until which undo() works. */
  until?: number;
  undo?: () => Promise<unknown>;
}

const toasts = signal<Toast[]>([]);
let last = 0;

function drop(id: number): void {
  if (document.activeElement?.closest(".toast")) keep_focus();
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

export function say(text: string, more: Partial<Toast> = {}): void {
  const id = ++last;
  toasts.value = [...toasts.value.slice(-3), { id, text, ...more }];
  setTimeout(() => drop(id), more.until ? Math.max(0, more.until - Date.now()) : 7_000);
}

export function complain(error: unknown): void {
  say(error instanceof Problem ? problem_text(error) : String(error), { bad: true });
}

const second = signal(0);

async function take_back(toast: Toast): Promise<void> {
  drop(toast.id);
  try {
    await toast.undo?.();
    say(t("toast.undone"));
  } catch (error) {
    complain(error);
  }
}

export function Toasts() {
  const counting = toasts.value.some((toast) => toast.undo);
  useEffect(() => {
    if (!counting) return;
    const timer = setInterval(() => { second.value++; }, 1000);
    return () => clearInterval(timer);
  }, [counting]);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((toast) => (
        <div key={toast.id} class={toast.bad ? "toast bad" : "toast"}>
          <p>{toast.text}</p>
          {toast.undo && <Button small onClick={() => void take_back(toast)}><Left until={toast.until ?? 0} /></Button>}
          <Button kind="quiet" small icon="close" label={t("do.close")} onClick={() => drop(toast.id)} />
        </div>
      ))}
    </div>
  );
}

/** The seconds change for the eye only: a screen reader would read the toast again each time. */
function Left({ until }: { until: number }) {
  void second.value;
  const seconds = Math.max(0, Math.ceil((until - Date.now()) / 1000));
  return <>{t("do.undo")} <span aria-hidden="true">{seconds}</span></>;
}
