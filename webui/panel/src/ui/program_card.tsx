// What to put into the program that sends, and whether it has reached us yet.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { has_word, t, word } from "../core/i18n";
import { listen } from "../core/live";
import { type Account, PASSWORD, PROGRAMS, recipe } from "../lib/programs";
import { CopyField } from "./copy";
import { Choice } from "./form";
import { Notice } from "./states";

const kept = "program";

export function ProgramCard({ account, watch }: { account: Account; watch?: boolean }) {
  const program = useSignal(localStorage.getItem(kept) ?? "");
  const chosen = PROGRAMS.includes(program.value) ? program.value : PROGRAMS[0]!;
  const pick = (name: string) => {
    program.value = name;
    localStorage.setItem(kept, name);
  };
  if (account.starttls === null && account.implicit === null)
    return <Notice tone="warn" icon="warning">{t("card.no_listener")}</Notice>;
  const { fields, code } = recipe(chosen, account);
  return (
    <div class="stack">
      <p class="muted">{t("card.intro")}{!account.password && <> {t("card.once")}</>}</p>
      <div class="short"><Choice label={t("card.program")} value={chosen} options={PROGRAMS.map((name) => [name, name])} onPick={pick} /></div>
      {code && <CopyField text={code} label={chosen} lines />}
      {fields && (
        <dl class="facts values">
          {fields.map(([label, value]) => {
            const name = word("card", label);
            const is_word = has_word(`card.${label}.${value}`);
            return [
              <dt key={label}>{name}</dt>,
              <dd key={`${label}=`}>
                {is_word || value === PASSWORD ? word(`card.${label}`, value) : <CopyField text={value} label={name} />}
              </dd>,
            ];
          })}
        </dl>
      )}
      {watch && <FirstConnection user={account.user} />}
    </div>
  );
}

/** A line of the log. */
interface Attempt {
  event: string;
  fields: { ip?: string; reason?: string };
}

/** The latest sign-in of the user, as it happens. */
function FirstConnection({ user }: { user: string }) {
  const seen = useSignal<Attempt | null>(null);
  useEffect(() => listen(`auth:${user}`, (data) => { if (data) seen.value = data as Attempt; }), [user]);
  return <div role="status"><Seen attempt={seen.value} /></div>;
}

function Seen({ attempt }: { attempt: Attempt | null }) {
  if (!attempt)
    return (
      <Notice icon="setup">
        <p>{t("card.waiting")}</p>
        <p class="muted small">{t("card.waiting_hint")}</p>
      </Notice>
    );
  const { ip: from = "—", reason } = attempt.fields;
  if (attempt.event === "login") return <Notice tone="good" icon="check">{t("card.seen_ok", { from })}</Notice>;
  return (
    <Notice tone="bad" icon="warning">
      {!reason || /password/.test(reason) ? t("card.seen_wrong", { from }) : t("card.seen_refused", { from, reason })}
    </Notice>
  );
}
