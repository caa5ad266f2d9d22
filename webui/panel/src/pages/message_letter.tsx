// "Explain to my customer": a letter in either language, to be mended by hand and copied.
import { useSignal } from "@preact/signals";
import { language, languages, t } from "../core/i18n";
import { type Delivery, reply_text, said } from "../core/mail";
import type { Language } from "../core/signals";
import { type Evidence, letter_of } from "../lib/letter";
import { Button, Segments } from "../ui/button";
import { CopyButton } from "../ui/copy";
import { Dialog } from "../ui/dialog";
import { Choice, Field } from "../ui/form";
import type { Whole } from "./message";

/** For each recipient what was said to it last. */
function evidence_of(whole: Whole, attempts: Delivery[]): Evidence[] {
  const arrival = attempts.find(({ n }) => n === 0);
  return (whole.recipients ?? []).map(({ n, address, state, reply }) => {
    const own = attempts.filter((one) => one.n === n && one.reply).sort((a, b) => (a.at < b.at ? 1 : -1));
    const last = own.find((one) => one.mx) ?? own[0];
    return {
      id: whole.id, recipient: address, state, arrived: whole.arrived ?? arrival?.at ?? null, expires: whole.expires ?? null,
      reply: last && last.state !== "held" ? said(last) : state === "held" ? "" : reply, cause: last?.class ?? "",
      server: last ? last.mx ?? last.site : address.split("@").pop() ?? null, at: last?.at ?? null, held_for: state === "held" ? reply_text(reply) : "",
    };
  });
}

export function CustomerLetter({ whole, attempts, onClose }: { whole: Whole; attempts: Delivery[]; onClose: () => void }) {
  const all = evidence_of(whole, attempts);
  const which = useSignal("0"), tongue = useSignal<Language>(language.value);
  const known = all[Number(which.value)];
  const text = useSignal(known ? letter_of(known, tongue.value) : "");
  const renew = () => {
    const chosen = all[Number(which.value)];
    text.value = chosen ? letter_of(chosen, tongue.value) : "";
  };
  return (
    <Dialog title={t("letter.title")} onClose={onClose} class="broad">
      <div class="stack">
        <div class="line">
          <Segments<Language> label={t("letter.language")} value={tongue.value} options={Object.entries(languages) as [Language, string][]}
            onPick={(value) => { tongue.value = value; renew(); }} />
        </div>
        {all.length > 1 && (
          <Choice label={t("queue.to")} value={which.value} options={all.map(({ recipient }, i) => [String(i), recipient])}
            onPick={(value) => { which.value = value; renew(); }} />
        )}
        <Field label={t("letter.text")} value={text.value} lines={14} hint={t("letter.hint")} onInput={(value) => { text.value = value; }} />
      </div>
      <footer>
        <CopyButton small={false} text={() => text.value} />
        <Button onClick={onClose}>{t("do.close")}</Button>
      </footer>
    </Dialog>
  );
}
