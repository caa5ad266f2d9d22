// Loads a page when it is asked for, and keeps the old one in sight meanwhile.
import { Component, type ComponentChildren, type ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { Problem } from "../core/api";
import { t } from "../core/i18n";
import { ErrorBox, Skeleton } from "./states";

type Load<P> = () => Promise<{ default: ComponentType<P> }>;

export function PageView<P extends object>({ load, props, name }: { load: Load<P>; props: P; name: string }) {
  const page = useSignal<{ of: Load<P>; Shown: ComponentType<P> } | null>(null);
  const problem = useSignal<Problem | null>(null);
  const fetch_page = () => {
    problem.value = null;
    // A service that was upgraded has other names: then the new index.html is asked for.
    load().then((module) => { page.value = { of: load, Shown: module.default }; },
      () => { problem.value = new Problem(0, { code: "page_gone" }); });
  };
  useEffect(fetch_page, [load]);
  if (problem.value) return <ErrorBox problem={problem.value} retry={() => location.reload()} />;
  if (!page.value || page.value.of !== load) return <Skeleton />;
  const { Shown } = page.value;
  return <Guard key={name}><Shown {...props} /></Guard>;
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
