// "Are you sure?", asked before what cannot be taken back.
import type { ComponentChildren } from "preact";
import { FormDialog } from "./dialog";
import { use_order } from "./form";

export function Confirm({ title, verb, order, onClose, children }: {
  title: string; verb: string; order: () => Promise<void>; onClose: () => void; children: ComponentChildren;
}) {
  const { run, busy, problem } = use_order(async () => {
    await order();
    onClose();
  });
  return (
    <FormDialog title={title} submit={verb} kind="danger primary" busy={busy} problem={problem} onClose={onClose} onSubmit={() => void run()}>
      <p>{children}</p>
    </FormDialog>
  );
}
