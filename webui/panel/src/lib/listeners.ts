// Where programs hand in mail, read from the settings in force.
import type { Setting } from "./settings";

export interface Listener {
  title: string;
  addresses: string[];
  tls: "starttls" | "implicit" | "none";
  takes_passwords: boolean;
}

function value_of(settings: Setting[], title: string | null, name: string): string {
  return settings.find((row) => row.title === title && row.section === "listen" && row.name === name)?.value ?? "";
}

export function listeners_of(settings: Setting[]): Listener[] {
  const titles = [...new Set(settings.filter((row) => row.section === "listen").map((row) => row.title))];
  return titles.map((title) => {
    const tls = value_of(settings, title, "tls") as Listener["tls"];
    return {
      title: title ?? "", tls,
      addresses: value_of(settings, title, "address").split(/[\s,]+/).filter(Boolean),
      takes_passwords: value_of(settings, title, "auth") !== "none" &&
        (tls !== "none" || value_of(settings, title, "plain_auth") === "true"),
    };
  });
}

const port_of = (address: string): number => Number(address.slice(address.lastIndexOf(":") + 1));

/** The usual port if it is among them, else the first; null: none.  Port 0 is known only at run time. */
export function port_for(listeners: Listener[], tls: Listener["tls"], usual: number): number | null {
  const ports = listeners.filter((one) => one.tls === tls && one.takes_passwords)
    .flatMap((one) => one.addresses.map(port_of));
  return ports.length === 0 ? null : ports.includes(usual) ? usual : ports.find((port) => port > 0) ?? usual;
}
