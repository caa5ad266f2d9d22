// Around a list: its first loading, its troubles, that it is empty, that it has changed.
import type { ComponentChildren } from "preact";
import type { List } from "../core/list";
import { t } from "../core/i18n";
import { Button } from "./button";
import { ErrorBox, Notice, Skeleton } from "./states";

export function ListView<T>({ list, empty, children }: {
  list: List<T>; empty: ComponentChildren; children: ComponentChildren;
}) {
  if (list.is_new && !list.problem) return <div class="card"><Skeleton lines={10} /></div>;
  return (
    <div class="stack tight">
      {list.problem && list.problem.code !== "bad_filter" && <ErrorBox problem={list.problem} retry={list.reload} />}
      {list.changed && (
        <Notice action={<Button small icon="retry" onClick={list.reload}>{t("list.renew")}</Button>}>{t("list.changed")}</Notice>
      )}
      {list.rows.length > 0
        ? <div class={list.problem ? "card flush dimmed" : "card flush"}>{children}</div>
        : !list.problem && <div class="card">{empty}</div>}
    </div>
  );
}
