// English, which is always at hand.  A file for each part of the panel.
import { entry } from "./en/entry";
import { mail } from "./en/mail";
import { self } from "./en/self";
import { senders } from "./en/senders";
import { shell } from "./en/shell";
import { system } from "./en/system";

export const english = { ...shell, ...mail, ...entry, ...senders, ...system, ...self };
export type Key = keyof typeof english;
