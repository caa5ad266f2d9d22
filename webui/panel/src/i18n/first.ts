// English words of what comes first: the entrance, the overview, SMTP users’ own pages, what stands around all.
import { entry } from "./en/entry";
import { now } from "./en/now";
import { self } from "./en/self";
import { senders } from "./en/senders";
import { shell } from "./en/shell";

export const first = { ...shell, ...now, ...entry, ...senders, ...self };
