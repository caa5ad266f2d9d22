// The focus of who uses the keyboard: never lost with what it stood on.

let opener: HTMLElement | null = null;

/** What had the focus before a dialogue; one that takes another's place goes back to where that one came from. */
export function remember_opener(): HTMLElement | null {
  const active = document.activeElement;
  if (active instanceof HTMLElement && active !== document.body && !active.closest("dialog")) opener = active;
  return active instanceof HTMLElement && active.closest("dialog") ? active : opener;
}

/** Once what is leaving has left: back to where one was, or to the heading of the page. */
export function keep_focus(back?: HTMLElement | null): void {
  requestAnimationFrame(() => {
    if (document.activeElement && document.activeElement !== document.body) return;
    const to = back?.isConnected ? back : document.querySelector<HTMLElement>("h1");
    to?.focus({ preventScroll: true });
  });
}
