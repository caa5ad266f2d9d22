// A search of words and "word:value" pairs: typed in a field, seen as chips.
import { useEffect, useId } from "preact/hooks";
import { useSignal } from "@preact/signals";
import type { Problem } from "../core/api";
import { problem_text } from "../core/problem_text";
import { parse_words, print_words, type Word } from "../core/words";
import { t, word as tr } from "../core/i18n";
import { Button } from "./button";
import { Icon } from "./icon";

interface SearchProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** The words that may stand before a colon. */
  known: string[];
  placeholder?: string;
  /** The list's: a word that the server did not understand is marked where it stands. */
  bad?: Problem | null;
}

export function WordSearch({ label, value, onChange, known, placeholder, bad }: SearchProps) {
  const text = useSignal(value);
  useEffect(() => { text.value = value; }, [value]);
  const words = parse_words(value, known), id = useId();
  const fault = bad?.code === "bad_filter" ? bad : null;
  return (
    <div class="stack tight">
      <form class="search" role="search" onSubmit={(event) => { event.preventDefault(); onChange(text.value.trim()); }}>
        <input class="input" type="search" aria-label={label} value={text.value} placeholder={placeholder} list="filter-words"
          spellcheck={false} autocomplete="off" maxLength={1000} aria-invalid={fault ? true : undefined} aria-describedby={fault ? id : undefined}
          onInput={(event) => { text.value = event.currentTarget.value; }} />
        <datalist id="filter-words">
          {known.map((name) => <option key={name} value={`${name}:`}>{tr("filter", name)}</option>)}
        </datalist>
        <Button submit icon="search">{t("do.search")}</Button>
      </form>
      {fault && <p class="fault" id={id}>{problem_text(fault)}</p>}
      {words.length > 0 && <Chips words={words} bad={String(fault?.params.word ?? "")} onChange={(next) => onChange(print_words(next))} />}
    </div>
  );
}

const is_bad = (word: Word, bad: string): boolean =>
  Boolean(word.unknown) || (bad !== "" && (bad === word.name || print_words([word]) === bad));

function Chips({ words, bad, onChange }: { words: Word[]; bad: string; onChange: (words: Word[]) => void }) {
  return (
    <ul class="chips" aria-label={t("filter.active")}>
      {words.map((word, i) => (
        <li key={`${i}${word.value}`} class={`chip ${is_bad(word, bad) ? "bad" : ""}`}>
          {is_bad(word, bad) && <Icon name="warning" />}
          <span class="cut">{word.name && <b>{tr("filter", word.name)}: </b>}{word.value}</span>
          <button type="button" aria-label={t("filter.remove", { word: print_words([word]) })}
            onClick={() => onChange(words.filter((_, k) => k !== i))}><Icon name="close" /></button>
        </li>
      ))}
      {words.length > 1 && <li><Button small kind="quiet" onClick={() => onChange([])}>{t("filter.clear")}</Button></li>}
    </ul>
  );
}
