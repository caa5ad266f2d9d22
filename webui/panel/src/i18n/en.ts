// English as a whole: its keys are those of every language.  The bundles get it in its two parts.
import { first } from "./first";
import { late } from "./late";

export const english = { ...first, ...late };
export type Key = keyof typeof english;
