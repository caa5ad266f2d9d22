// "Why is it waiting?", one sentence for each recipient or the one that holds for all.
import { ago, when } from "../core/format";
import { t, word } from "../core/i18n";
import { reply_text, type Why } from "../core/mail";
import { Shape, tone_of } from "../ui/state";

export function why_sentence(why: Why): string {
  const sentence = word("why", why.why, why.sentence);
  const until = why.until ? ` ${t("why.until", { time: when(why.until), ago: ago(why.until) })}` : "";
  return `${sentence}${until}`;
}

function distinct(items: Why[]): (Why & { times: number })[] {
  const found = new Map<string, Why & { times: number }>();
  for (const item of items) {
    const key = `${item.why} ${item.about ?? item.site ?? ""} ${item.reason ?? ""}`;
    const old = found.get(key);
    if (old) old.times++;
    else found.set(key, { ...item, times: 1 });
  }
  return [...found.values()];
}

export function WhyList({ items }: { items: Why[] }) {
  return (
    <ul class="stack">
      {distinct(items).slice(0, 20).map((why, i) => (
        <li key={i} class="why">
          <Shape tone={tone_of(why.why)} />
          <div class="stack tight">
            <p><b>{why_sentence(why)}</b>{why.about || why.site ? <span class="muted"> · {why.about || why.site}</span> : null}</p>
            {why.reason && <div class="reply">{reply_text(why.reason)}</div>}
            {why.last_delivery && <p class="muted small">{t("why.last", { ago: ago(why.last_delivery) })}</p>}
          </div>
        </li>
      ))}
    </ul>
  );
}
