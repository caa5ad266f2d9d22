// Loads a page when it is asked for, and keeps the old one in sight meanwhile.
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get, Problem } from "../core/api";
import { t } from "../core/i18n";
import { stale_since } from "../core/live";
import { as_problem } from "../core/resource";
import { Head } from "./head";
import { ErrorBox, Skeleton } from "./states";

type Load<P> = () => Promise<{ default: ComponentType<P> }>;

export function PageView<P extends object>({ load, props, name }: { load: Load<P>; props: P; name: string }) {
  const page = useSignal<{ of: Load<P>; Shown: ComponentType<P> } | null>(null);
  const problem = useSignal<Problem | null>(null);
  const fetch_page = () => {
    problem.value = null;
    load().then((module) => { page.value = { of: load, Shown: module.default }; }, () => void why().then((found) => { problem.value = found; }));
  };
  // Loaded anew, and only when somebody answers: a service that was upgraded has other names, and a browser
  // asks once only for a file that failed.
  const again = () => void why().then((found) => {
    if (found.code === "unreachable") problem.value = found;
    else location.reload();
  });
  useEffect(fetch_page, [load]);
  const is_back = stale_since.value === null, failed = problem.value !== null;
  useEffect(() => { if (failed && is_back) again(); }, [is_back]);
  if (problem.value) return <><Head title={t("app.name")} /><ErrorBox problem={problem.value} retry={again} /></>;
  if (!page.value || page.value.of !== load) return <Skeleton />;
  const { Shown } = page.value;
  return <Guard key={name}><Shown {...props} /></Guard>;
}

/** Why a page could not be loaded: the service does not answer, or has none of this name any more. */
async function why(): Promise<Problem> {
  try {
    await get("/session");
  } catch (error) {
    const problem = as_problem(error);
    if (problem.code === "unreachable") return problem;
  }
  return new Problem(0, { code: "page_gone" });
}

/** A mistake in one page leaves the navigation standing. */
class Guard extends Component<{ children: ComponentChildren }, { failed: string | null }> {
  override state = { failed: null as string | null };

  override componentDidCatch(error: unknown) {
    console.error(error);
    this.setState({ failed: String(error) });
  }

  override render() {
    if (this.state.failed === null) return this.props.children;
    return <ErrorBox what={t("page.broken")} problem={new Problem(0, { code: "broken", detail: this.state.failed })}
      retry={() => this.setState({ failed: null })} />;
  }
}
