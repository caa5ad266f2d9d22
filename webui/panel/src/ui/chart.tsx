// Lines over time: a legend to press, a picture, and the values of one moment in words.
import { useSignal } from "@preact/signals";
import { number, when } from "../core/format";
import { t } from "../core/i18n";
import { Plot } from "./plot";
import type { Tone } from "./state";

export interface Line {
  key: string;
  title: string;
  tone: Tone;
  mean: (number | null)[];
  min?: (number | null)[] | undefined;
  max?: (number | null)[] | undefined;
  /** The same, one period earlier. */
  before?: (number | null)[] | undefined;
}

/** A stretch of which nothing is known; seconds since 1970. */
export interface Blank {
  from: number;
  to: number;
  why: string;
}

export interface ChartProps {
  label: string;
  /** Seconds since 1970. */
  times: number[];
  lines: Line[];
  /** Seconds. */
  step: number;
  format?: (value: number | null | undefined) => string;
  onZoom?: (from: number, to: number) => void;
  blanks?: Blank[];
  /** What the numbers are of: "per minute". */
  unit?: string;
}

/** Lines differ by more than colour. */
export const dashes: Record<Tone, number[]> = {
  delivered: [], deferred: [6, 3], bounced: [2, 3], held: [8, 3, 2, 3], queued: [1, 2], plain: [4, 4],
};

export function Chart({ label, times, lines, step, format = number, onZoom, unit, blanks = [] }: ChartProps) {
  const hidden = useSignal<Set<string>>(new Set());
  const at = useSignal<number | null>(null);
  const shown = lines.filter(({ key }) => !hidden.value.has(key));
  const step_to = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    if (by === undefined || !times.length) return;
    event.preventDefault();
    at.value = Math.max(0, Math.min(times.length - 1, (at.value ?? times.length) + by));
  };
  const i = at.value;
  const value_of = ({ title, mean, before }: Line) =>
    `${title} ${format(mean[i!])}${before ? ` ${t("chart.before", { value: format(before[i!]) })}` : ""}`;
  return (
    <figure class="chart" aria-label={label}>
      <Legend lines={lines} unit={unit} hidden={hidden.value} onFlip={(key) => {
        const next = new Set(hidden.value);
        if (!next.delete(key)) next.add(key);
        hidden.value = next;
      }} />
      <div class="picture" tabIndex={0} role="img" onKeyDown={step_to} aria-label={t("chart.hint", { label })}>
        <Plot times={times} lines={shown} format={format} at={i} onPoint={(point) => { at.value = point; }} onZoom={onZoom} blanks={blanks} />
      </div>
      <p class="reading" aria-live="polite">
        {i === null || times[i] === undefined ? <span aria-hidden="true">{t("chart.point")}</span>
          : `${when(times[i], step < 86_400 ? "short" : "date")}: ${shown.map(value_of).join(" · ")}`}
      </p>
    </figure>
  );
}

function Legend({ lines, hidden, onFlip, unit }: {
  lines: Line[]; hidden: Set<string>; onFlip: (key: string) => void; unit: string | undefined;
}) {
  return (
    <div class="legend" role="group" aria-label={t("chart.legend")}>
      {lines.map(({ key, title, tone }) => (
        <button key={key} type="button" aria-pressed={!hidden.has(key)} onClick={() => onFlip(key)}>
          <svg viewBox="0 0 24 12" class={`${tone}-ink`} aria-hidden="true">
            <line x1="0" y1="6" x2="24" y2="6" stroke-dasharray={dashes[tone].join(" ")} />
          </svg>
          {title}
        </button>
      ))}
      {unit && <span class="muted small unit">{unit}</span>}
    </div>
  );
}
