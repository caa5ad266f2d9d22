import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../core/i18n";

/** The heading of a page: names the tab, and takes the focus when the page is new. */
export function Head({ title, about, children }: { title: string; about?: ComponentChildren; children?: ComponentChildren }) {
  const ref = useRef<HTMLHeadingElement>(null);
  useEffect(() => { ref.current?.focus({ preventScroll: true }); }, []);
  useEffect(() => { document.title = `${title} · ${t("app.name")}`; }, [title]);
  return (
    <div class="head">
      <div><h1 tabIndex={-1} ref={ref}>{title}</h1>{about && <p>{about}</p>}</div>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}

export function Card({ title, children, actions, flush }: {
  title?: string; children: ComponentChildren; actions?: ComponentChildren; flush?: boolean;
}) {
  return (
    <section class={flush ? "card flush" : "card"}>
      {(title || actions) && <header>{title && <h2>{title}</h2>}{actions}</header>}
      {children}
    </section>
  );
}

/** Names and what they are. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return <dl class="facts">{rows.map(([name, value]) => [<dt key={name}>{name}</dt>, <dd key={`${name}=`}>{value}</dd>])}</dl>;
}
