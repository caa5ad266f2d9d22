// The attempts as a line of time, newest first, the receiver's words as they came.
import { duration, when } from "../core/format";
import { t, word } from "../core/i18n";
import { type Delivery, type Recipient, reply_text, said } from "../core/mail";
import { cause_of } from "../lib/causes";
import { CopyButton } from "../ui/copy";
import { Shape, StatePill, tone_of } from "../ui/state";

export function Attempts({ attempts, recipients }: { attempts: Delivery[]; recipients: Recipient[] }) {
  const known = attempts.length > 0;
  const spoken = recipients.filter(({ reply }) => reply);
  if (!known && !spoken.length) return <p class="muted">{t("message.no_attempt")}</p>;
  return (
    <ol class="timeline">
      {known ? [...attempts].sort((a, b) => Date.parse(b.at) - Date.parse(a.at)).map((attempt, i) => <Attempt key={i} attempt={attempt} />)
        : spoken.map((recipient) => <LastReply key={recipient.n} recipient={recipient} />)}
    </ol>
  );
}

function Attempt({ attempt }: { attempt: Delivery }) {
  const state = attempt.n === 0 ? "accepted" : attempt.state; // the row of its arrival
  const way = [attempt.mx, attempt.egress && t("message.from_address", { address: attempt.egress }),
    attempt.tls, attempt.seconds !== null && duration(attempt.seconds)].filter(Boolean);
  const cause = ["deferred", "bounced", "expired"].includes(state) ? cause_of(said(attempt), attempt.class) : null;
  return (
    <li>
      <Shape tone={tone_of(state)} />
      <div class="line"><StatePill state={state} />{cause && <b>{word("said", cause)}</b>}<span class="muted small">{when(attempt.at, "full")}</span></div>
      {attempt.recipient && <p class="break">{attempt.recipient}</p>}
      {way.length > 0 && <p class="muted small break">{way.join(" · ")}</p>}
      {attempt.reply && <Said text={said(attempt)} />}
    </li>
  );
}

function LastReply({ recipient }: { recipient: Recipient }) {
  return (
    <li>
      <Shape tone={tone_of(recipient.state)} />
      <div class="line"><StatePill state={recipient.state} /><span class="break">{recipient.address}</span></div>
      <Said text={reply_text(recipient.reply)} />
    </li>
  );
}

function Said({ text }: { text: string }) {
  return <div class="stack tight"><div class="reply">{text}</div><div><CopyButton text={text} label={t("message.copy_reply")} /></div></div>;
}
