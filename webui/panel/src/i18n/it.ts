// Italian, loaded when it is chosen.
import { entry } from "./it/entry";
import { history } from "./it/history";
import { now } from "./it/now";
import { orders } from "./it/orders";
import { self } from "./it/self";
import { senders } from "./it/senders";
import { shell } from "./it/shell";
import { system } from "./it/system";

export const italian: Record<string, string> = { ...shell, ...now, ...orders, ...history, ...entry, ...senders, ...system, ...self };
