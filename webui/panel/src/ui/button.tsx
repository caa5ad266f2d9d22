import type { ComponentChildren } from "preact";
import { Icon, type IconName } from "./icon";

interface ButtonProps {
  children?: ComponentChildren;
  icon?: IconName;
  /** The name of a button that shows only its icon. */
  label?: string;
  kind?: "primary" | "danger" | "quiet" | "danger primary" | "quiet danger";
  small?: boolean;
  busy?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  submit?: boolean;
  class?: string;
  onClick?: (event: MouseEvent) => void;
}

export function Button(props: ButtonProps) {
  const { children, icon, label, kind = "", small, busy, disabled, pressed, submit, onClick } = props;
  const off = disabled || busy; // by aria: a button that is disabled by its attribute loses the focus
  return (
    <button type={submit ? "submit" : "button"} aria-label={label} title={label} aria-pressed={pressed}
      aria-busy={busy || undefined} aria-disabled={off || undefined} onClick={off ? (event) => event.preventDefault() : onClick}
      class={`button ${kind} ${small ? "small" : ""} ${children ? "" : "square"} ${props.class ?? ""}`}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

/** A place or a file that looks like something to press. */
export function ButtonLink({ href, children, icon, kind = "", small, download }: {
  href: string; children: ComponentChildren; icon?: IconName; kind?: string; small?: boolean; download?: boolean;
}) {
  return (
    <a class={`button ${kind} ${small ? "small" : ""}`} href={href} download={download || undefined}>
      {icon && <Icon name={icon} />}
      {children}
    </a>
  );
}

/** One of a few, always in sight. */
export function Segments<T extends string>({ label, options, value, onPick }: {
  label: string; options: [T, string][]; value: T; onPick: (value: T) => void;
}) {
  return (
    <div class="segments" role="group" aria-label={label}>
      {options.map(([name, title]) => (
        <button key={name} type="button" aria-pressed={name === value} onClick={() => onPick(name)}>{title}</button>
      ))}
    </div>
  );
}
