// How much of each quota is used: a bar, and the same in numbers.
import { number, percent } from "../core/format";
import { t, word } from "../core/i18n";

type Counts = Record<string, number>;

function Bar({ share }: { share: number }) {
  return (
    <span class={`bar ${share >= 1 ? "full" : share >= 0.8 ? "high" : ""}`} aria-hidden="true">
      <span style={{ width: `${Math.min(100, share * 100)}%` }} />
    </span>
  );
}

/** In a table: a thin bar for each of hour, day and month, with its share. */
export function QuotaMarks({ used = {}, quotas = {} }: { used?: Counts | undefined; quotas?: Counts | undefined }) {
  const names = Object.keys(quotas);
  if (!names.length) return <span class="muted">—</span>;
  return (
    <span class="marks">
      {names.map((name) => {
        const share = (used[name] ?? 0) / quotas[name]!;
        const text = `${word("limit", name)}: ${t("users.used_of", { used: number(used[name] ?? 0), of: number(quotas[name]) })}`;
        return <span key={name} title={text}><Bar share={share} /><span aria-hidden="true">{percent(share, 0)} {word("per", name.split("_").pop()!)}</span><span class="unseen">{text}; </span></span>;
      })}
    </span>
  );
}

export function QuotaBars({ used = {}, quotas = {} }: { used?: Counts | undefined; quotas?: Counts | undefined }) {
  const names = Object.keys(quotas);
  if (!names.length) return <p class="muted">{t("users.no_quota")}</p>;
  return (
    <ul class="stack tight">
      {names.map((name) => {
        const of = quotas[name]!, share = (used[name] ?? 0) / of;
        return (
          <li key={name}>
            <div class="line small">
              <span class="grow">{word("limit", name)}</span>
              <span>{t("users.used_of", { used: number(used[name]), of: number(of) })} <span class="muted">· {percent(share, 0)}</span></span>
            </div>
            <Bar share={share} />
          </li>
        );
      })}
    </ul>
  );
}
