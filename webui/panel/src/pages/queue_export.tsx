// Everything that matches, as a file; it may take a while, says how far it is, and can be stopped.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { csv, download } from "../core/csv";
import { number } from "../core/format";
import { t } from "../core/i18n";
import type { Message } from "../core/mail";
import { export_queue, rows_of } from "../lib/queue_csv";
import { Button } from "../ui/button";
import { complain, say } from "../ui/toast";

const NAME = "staffetta-queue.csv";

export function ExportQueue({ filter, picked }: { filter: string; picked: Message[] }) {
  const so_far = useSignal<number | null>(null);
  const asked = useRef<AbortController | null>(null);
  useEffect(() => () => asked.current?.abort(), []);
  const run = async () => {
    if (picked.length) return download(NAME, csv(picked.flatMap(rows_of)));
    const control = new AbortController();
    asked.current = control;
    so_far.value = 0;
    try {
      const { text, rows, whole } = await export_queue(filter, (n) => { so_far.value = n; }, control.signal);
      download(NAME, text);
      if (!whole) say(t("queue.exported_part", { n: number(rows) }));
    } catch (error) {
      if (!control.signal.aborted) complain(error);
    } finally {
      so_far.value = null;
    }
  };
  if (so_far.value === null) return <Button icon="download" onClick={() => void run()}>{t("do.csv")}</Button>;
  return (
    <>
      <span class="muted small" role="status">{t("queue.exporting", { n: number(so_far.value) })}</span>
      <Button icon="close" onClick={() => asked.current?.abort()}>{t("do.stop")}</Button>
    </>
  );
}
