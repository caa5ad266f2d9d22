// A problem in words: ours by its code, else what the server said.
import type { Problem } from "./api";
import { duration } from "./format";
import { has_word, t, word } from "./i18n";

export function problem_text(problem: Problem): string {
  const params = { ...problem.params };
  if (typeof params.seconds === "number") params.seconds = duration(params.seconds);
  if (params.needs) params.needs = word("role", String(params.needs));
  const code = /^bad_/.test(problem.code) && !has_word(`error.${problem.code}`) ? "bad_field" : problem.code;
  return word("error", code, problem.message || t("error.unknown", { code: problem.code }), params);
}
