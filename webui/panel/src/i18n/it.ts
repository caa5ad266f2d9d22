// Italian, loaded when it is chosen.
import { entry } from "./it/entry";
import { mail } from "./it/mail";
import { self } from "./it/self";
import { senders } from "./it/senders";
import { shell } from "./it/shell";
import { system } from "./it/system";

export const italian: Record<string, string> = { ...shell, ...mail, ...entry, ...senders, ...system, ...self };
