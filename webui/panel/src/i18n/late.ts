// English words of the other pages, which come with their bundles (bundles/words.ts).
import { history } from "./en/history";
import { orders } from "./en/orders";
import { people } from "./en/people";
import { steps } from "./en/steps";
import { system } from "./en/system";
import { waiting } from "./en/waiting";

export const late = { ...waiting, ...orders, ...history, ...people, ...steps, ...system };
