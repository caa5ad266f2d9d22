// Line drawings, 24 by 24.  Always beside words, or in a button that has a name.
const drawings = {
  overview: "M3 12h4l2.5-7 5 14L17 12h4",
  destinations: "M12 21s-7-6.2-7-11.5a7 7 0 0 1 14 0C19 14.8 12 21 12 21zM12 12a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5z",
  queue: "M4 6h16M4 12h16M4 18h10",
  deliveries: "M21 4 3 11l6.5 2.5L21 4zm0 0-8 16-3.5-6.5",
  logs: "M5 4h14v16H5zM9 9h6M9 13h6M9 17h3",
  graphs: "M4 20V4M4 20h16M8 16v-4M12 16V8M16 16v-6",
  suppressions: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM5.7 5.7l12.6 12.6",
  users: "M16 20v-1.5A3.5 3.5 0 0 0 12.5 15h-5A3.5 3.5 0 0 0 4 18.5V20M10 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM20 20v-1.5a3.5 3.5 0 0 0-2.5-3.3M15 4.2a3.5 3.5 0 0 1 0 6.6",
  domains: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM3 12h18M12 3c3 3 3 15 0 18M12 3c-3 3-3 15 0 18",
  networks: "M9 4h6v5H9zM3 15h6v5H3zM15 15h6v5h-6zM12 9v3M6 15v-3h12v3",
  diagnostics: "M6 4H4v5a5 5 0 0 0 10 0V4h-2M9 14v2a5 5 0 0 0 10 0v-2M19 14a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  rules: "M12 3 4.5 6v5.5c0 4.5 3 8 7.5 9.5 4.5-1.5 7.5-5 7.5-9.5V6zM9 12l2 2 4-4",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM9 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  access: "M14.5 14a5 5 0 1 0-4.7-3.3L4 16.5V20h3.5v-2.5H10V15l1.3-1.3a5 5 0 0 0 3.2.3zM15.5 9h.01",
  audit: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3.5 2",
  about: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 11v5M12 8h.01",
  me: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM5 20c.7-3.5 3.5-5 7-5s6.3 1.5 7 5",
  setup: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
  menu: "M4 6h16M4 12h16M4 18h16",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l4.5 4.5",
  close: "M6 6l12 12M18 6 6 18",
  plus: "M12 5v14M5 12h14",
  check: "M5 12.5 10 17l9-10",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  warning: "M12 4 2.5 20h19zM12 10v4.5M12 17.2h.01",
  retry: "M20 12a8 8 0 1 1-2.5-5.8M20 4v4.5h-4.5",
  pause: "M8 5v14M16 5v14",
  play: "M8 5l11 7-11 7z",
  slow: "M12 20a8 8 0 1 0-8-8M12 12l4-3M4 16h4M4 20h6",
  bin: "M4 7h16M9 7V4h6v3M6.5 7l1 13h9l1-13",
  hand: "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  route: "M5 19a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM19 9a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM7 17h7a3 3 0 0 0 0-6h-4a3 3 0 0 1 0-6h7",
  arrow: "M5 12h14M13 6l6 6-6 6",
  down: "M6 9l6 6 6-6",
  moon: "M20 14.5A8 8 0 0 1 9.5 4a8 8 0 1 0 10.5 10.5z",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.5 2h-15zM10 20.5h4",
} as const;

export type IconName = keyof typeof drawings;

export function Icon({ name }: { name: IconName }) {
  return <svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d={drawings[name]} /></svg>;
}

export function Brand() {
  return (
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#1257b8" />
      <g fill="none" stroke-linecap="round">
        <path d="M8 21.5 18.5 11" stroke="#fff" stroke-width="5" />
        <path d="m20.5 9 3-3" stroke="#8ec2ff" stroke-width="5" />
        <path d="M17 25h8M20 20h5" stroke="#8ec2ff" stroke-width="2.5" />
      </g>
    </svg>
  );
}
