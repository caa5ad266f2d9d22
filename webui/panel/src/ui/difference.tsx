// What is published, character by character against what should be.
import { t } from "../core/i18n";
import { compared, fault_of } from "../lib/surgeon";

export function Difference({ wanted, found }: { wanted: string; found: string[] }) {
  const fault = fault_of(wanted, found);
  return (
    <div class="stack tight">
      {fault && <p class="fault">{t(`surgeon.${fault}`)}</p>}
      {found.slice(0, 3).map((text, i) => (
        <div key={i} class="reply">
          {compared(wanted, text).map(({ kind, text: piece }, k) => kind === "same" ? <span key={k}>{piece}</span>
            : kind === "extra" ? <del key={k}><span class="unseen">{t("surgeon.extra")} </span>{piece}</del>
              : <ins key={k}><span class="unseen">{t("surgeon.lacks")} </span>{piece}</ins>)}
        </div>
      ))}
      <p class="muted small"><del>{t("surgeon.extra")}</del> <ins>{t("surgeon.lacks")}</ins></p>
    </div>
  );
}
