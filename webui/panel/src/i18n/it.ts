// Italian, loaded as a whole when it is chosen.
import { entry } from "./it/entry";
import { history } from "./it/history";
import { now } from "./it/now";
import { orders } from "./it/orders";
import { people } from "./it/people";
import { self } from "./it/self";
import { senders } from "./it/senders";
import { shell } from "./it/shell";
import { steps } from "./it/steps";
import { system } from "./it/system";
import { waiting } from "./it/waiting";

export const italian: Record<string, string> = {
  ...shell, ...now, ...entry, ...senders, ...self,
  ...waiting, ...orders, ...history, ...people, ...steps, ...system,
};
