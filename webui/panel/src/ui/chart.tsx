// Lines over time.  The drawing library comes only when a chart is shown; the legend, the reading of
// a point by keys and the words for who cannot see it are ours.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { number, when } from "../core/format";
import { language, t } from "../core/i18n";
import { colours } from "../core/theme";
import type { Plot } from "./chart_plot";
import { Skeleton } from "./states";
import type { Tone } from "./state";

export interface Line {
  key: string;
  title: string;
  tone: Tone;
  mean: (number | null)[];
  min?: (number | null)[] | undefined;
  max?: (number | null)[] | undefined;
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
}

export const dashes: Record<Tone, number[]> = {
  delivered: [], deferred: [6, 3], bounced: [2, 3], held: [8, 3, 2, 3], queued: [1, 2], plain: [4, 4],
};

export function Chart(props: ChartProps) {
  const { times, lines, format = number, step } = props;
  const element = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const hidden = useSignal<Set<string>>(new Set());
  const at = useSignal<number | null>(null);
  const ready = useSignal(false);
  const shown = lines.filter(({ key }) => !hidden.value.has(key));

  useEffect(() => {
    let gone = false;
    void import("./chart_plot").then(({ draw }) => {
      if (gone || !element.current) return;
      plot.current?.destroy();
      plot.current = draw(element.current, { ...props, lines: shown, format }, (i) => { at.value = i; });
      ready.value = true;
    });
    return () => { gone = true; };
  }, [times, lines, hidden.value, colours.value, language.value]);
  useEffect(() => () => plot.current?.destroy(), []);

  const step_to = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -12, PageDown: 12 }[event.key];
    if (by === undefined || !times.length) return;
    event.preventDefault();
    at.value = Math.max(0, Math.min(times.length - 1, (at.value ?? times.length) + by));
    plot.current?.point(at.value);
  };
  const flip = (key: string) => {
    const next = new Set(hidden.value);
    if (!next.delete(key)) next.add(key);
    hidden.value = next;
  };
  const i = at.value;
  return (
    <figure class="chart" aria-label={props.label}>
      <div class="legend" role="group" aria-label={t("chart.legend")}>
        {lines.map(({ key, title, tone }) => (
          <button key={key} type="button" aria-pressed={!hidden.value.has(key)} onClick={() => flip(key)}>
            <svg viewBox="0 0 24 12" class={`${tone}-ink`} aria-hidden="true">
              <line x1="0" y1="6" x2="24" y2="6" stroke-dasharray={dashes[tone].join(" ")} />
            </svg>
            {title}
          </button>
        ))}
      </div>
      <div class="picture" ref={element} tabIndex={0} role="img" onKeyDown={step_to}
        aria-label={t("chart.hint", { label: props.label })}>{!ready.value && <Skeleton lines={6} />}</div>
      <p class="reading" aria-live="polite">
        {i === null || times[i] === undefined ? <span aria-hidden="true">{t("chart.point")}</span>
          : `${when(times[i], step < 86400 ? "short" : "date")}: ${shown.map(({ title, mean }) => `${title} ${format(mean[i])}`).join(" · ")}`}
      </p>
    </figure>
  );
}
