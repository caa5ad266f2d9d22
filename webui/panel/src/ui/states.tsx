// The states that every page has besides "here it is": loading, empty, error, stale, forbidden.
import type { ComponentChildren } from "preact";
import type { Problem } from "../core/api";
import { when } from "../core/format";
import { t } from "../core/i18n";
import { stale_since } from "../core/live";
import { problem_text } from "../core/problem_text";
import type { Resource } from "../core/resource";
import { Button } from "./button";
import { Icon, type IconName } from "./icon";

/** Shows itself after 300 ms: what comes sooner needs no place holder. */
export function Skeleton({ lines = 5 }: { lines?: number }) {
  return (
    <div class="skeleton" role="status">
      <span class="unseen">{t("page.loading")}</span>
      {Array.from({ length: lines }, (_, i) => <span key={i} />)}
    </div>
  );
}

/** Why there is nothing, and what to do next. */
export function Empty({ icon = "check", children, action }: {
  icon?: IconName; children: ComponentChildren; action?: ComponentChildren;
}) {
  return <div class="empty"><Icon name={icon} /><p>{children}</p>{action}</div>;
}

export function Notice({ tone = "", icon = "about", children, action }: {
  tone?: "" | "bad" | "warn" | "good"; icon?: IconName; children: ComponentChildren; action?: ComponentChildren;
}) {
  return <div class={`notice ${tone}`}><Icon name={icon} /><div>{children}</div>{action}</div>;
}

/** What failed, what it is called, and another try. */
export function ErrorBox({ problem, retry, what }: { problem: Problem; retry?: () => void; what?: string }) {
  const forbidden = problem.code === "role_forbidden";
  return (
    <div role="alert">
      <Notice tone={forbidden ? "warn" : "bad"} icon={forbidden ? "access" : "warning"}
        action={retry && !forbidden && <Button icon="retry" small onClick={retry}>{t("do.retry")}</Button>}>
        <p><b>{what ?? t(forbidden ? "page.forbidden" : "page.failed")}</b></p>
        <p>{problem_text(problem)} <span class="muted small nowrap">({problem.code})</span></p>
      </Notice>
    </div>
  );
}

/** Data as soon as there is some; its troubles beside it, never instead of it. */
export function Shown<T>({ of, children, lines, what }: {
  of: Resource<T>; children: (data: T) => ComponentChildren; lines?: number; what?: string;
}) {
  if (of.data === undefined)
    return of.problem ? <ErrorBox problem={of.problem} retry={of.reload} what={what} /> : <Skeleton lines={lines} />;
  return (
    <>
      {of.problem && <ErrorBox problem={of.problem} retry={of.reload}
        what={of.at === null ? what : t("page.old", { time: when(of.at / 1000, "clock") })} />}
      <div class={of.problem ? "stack dimmed" : "stack"}>{children(of.data)}</div>
    </>
  );
}

export function StaleBar() {
  const since = stale_since.value;
  return (
    <div role="status">
      {since !== null && <div class="stale">{t("page.stale", { time: when(since / 1000, "time") })}</div>}
    </div>
  );
}
