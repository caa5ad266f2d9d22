// The browser's own dialogue: it keeps the focus, Escape leaves it.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import type { Problem } from "../core/api";
import { t } from "../core/i18n";
import { Button } from "./button";
import { keep_focus, remember_opener } from "./focus";
import { ErrorBox } from "./states";

/** Mounted means open. */
export function Dialog({ title, onClose, children, class: look = "", bare, firm }: {
  title: string; onClose: () => void; children: ComponentChildren; class?: string;
  /** The title is only spoken. */
  bare?: boolean;
  /** Neither a click beside it nor Escape loses what it shows. */
  firm?: boolean;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = remember_opener();
    ref.current?.showModal();
    return () => keep_focus(before);
  }, []);
  return (
    <dialog ref={ref} class={look} aria-labelledby={id} onClose={onClose}
      onCancel={(event) => { if (firm) event.preventDefault(); }}
      onClick={(event) => { if (event.target === ref.current && !firm) onClose(); }}>
      <div class={bare ? "" : "body"}>
        <h2 id={id} class={bare ? "unseen" : ""}>{title}</h2>
        {children}
      </div>
    </dialog>
  );
}

/** A question with an order as its answer. */
export function FormDialog({ title, onClose, onSubmit, submit, kind = "primary", busy, problem, disabled, children }: {
  title: string; onClose: () => void; onSubmit: () => void; submit: string; kind?: "primary" | "danger primary";
  busy?: boolean; problem?: Problem | null; disabled?: boolean; children: ComponentChildren;
}) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form class="stack" noValidate onSubmit={(event) => { event.preventDefault(); if (!busy && !disabled) onSubmit(); }}>
        {problem && <ErrorBox problem={problem} />}
        {children}
        <footer>
          <Button onClick={onClose}>{t("do.cancel")}</Button>
          <Button kind={kind} submit busy={busy} disabled={disabled}>{submit}</Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Details of one thing, beside the list it is in. */
export function Drawer({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  return (
    <Dialog title={title} onClose={onClose} class="drawer">
      {children}
      <footer><Button onClick={onClose}>{t("do.close")}</Button></footer>
    </Dialog>
  );
}
