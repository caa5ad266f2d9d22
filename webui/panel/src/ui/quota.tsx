// How much of each quota is used: a bar, and the same in numbers.
import { number, percent } from "../core/format";
import { t, word } from "../core/i18n";

export function QuotaBars({ used = {}, quotas = {} }: { used?: Record<string, number>; quotas?: Record<string, number> }) {
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
            <span class={`bar ${share >= 1 ? "full" : share >= 0.8 ? "high" : ""}`}>
              <span style={{ width: `${Math.min(100, share * 100)}%` }} />
            </span>
          </li>
        );
      })}
    </ul>
  );
}
