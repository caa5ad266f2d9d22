// English, which is always at hand.  A file for each part of the panel.
import { entry } from "./en/entry";
import { history } from "./en/history";
import { now } from "./en/now";
import { orders } from "./en/orders";
import { self } from "./en/self";
import { senders } from "./en/senders";
import { shell } from "./en/shell";
import { system } from "./en/system";

export const english = { ...shell, ...now, ...orders, ...history, ...entry, ...senders, ...system, ...self };
export type Key = keyof typeof english;
