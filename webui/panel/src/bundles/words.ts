// The words that only administrators’ bundles need: a bundle that imports this has them before it draws.
import { learn } from "../core/i18n";
import { late } from "../i18n/late";

learn(late);
