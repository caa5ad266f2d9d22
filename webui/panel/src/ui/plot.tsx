// The picture of a chart: a grid, a line for each mean, a band from least to most.  In SVG, so that
// tokens give the colours and nothing is drawn anew when the theme changes.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { number, short, when } from "../core/format";
import { band_path, level_ticks, line_path, nearest, time_ticks } from "../lib/scale";
import { type Blank, type Line, dashes } from "./chart";

const LETTER = 7; // about as wide as one of the axis' is
const EDGE = { left: 60, right: 12, top: 10, bottom: 26 };

export interface PlotProps {
  times: number[];
  lines: Line[];
  format: (value: number | null | undefined) => string;
  at: number | null;
  onPoint: (i: number | null) => void;
  onZoom?: ((from: number, to: number) => void) | undefined;
  blanks: Blank[];
}

function use_size(ref: { current: Element | null }): { width: number; height: number } {
  const size = useSignal({ width: 0, height: 0 });
  useEffect(() => {
    if (!ref.current) return;
    const watch = new ResizeObserver(([entry]) => {
      const { width, height } = entry!.contentRect;
      if (width !== size.peek().width || height !== size.peek().height) size.value = { width, height };
    });
    watch.observe(ref.current);
    return () => watch.disconnect();
  }, []);
  return size.value;
}

export function Plot(props: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  const size = use_size(box);
  return <div class="plot" ref={box}>{size.width > 0 && <Drawing {...props} {...size} />}</div>;
}

function Drawing(props: PlotProps & { width: number; height: number }) {
  const { times, lines, format, at, onPoint, onZoom, blanks, width, height } = props;
  const drag = useSignal<[number, number] | null>(null);
  const from = times[0] ?? 0, to = Math.max(from + 1, times.at(-1) ?? 1);
  const most = Math.max(0, ...lines.flatMap(({ mean, max, before = [] }) => [...max ?? mean, ...before].map((value) => value ?? 0)));
  const levels = level_ticks(most, Math.max(2, Math.floor((height - EDGE.top - EDGE.bottom) / 44)));
  const top = levels.at(-1) ?? 1;
  const wide = width - EDGE.left - EDGE.right, high = height - EDGE.top - EDGE.bottom;
  const x = (time: number) => EDGE.left + ((time - from) / (to - from)) * wide;
  const y = (value: number) => EDGE.top + high - (value / top) * high;
  const moment = (event: PointerEvent) => {
    const left = event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
    return from + Math.max(0, Math.min(1, (left - EDGE.left) / wide)) * (to - from);
  };
  const end_drag = () => {
    const span = drag.value;
    drag.value = null;
    if (span && x(Math.max(...span)) - x(Math.min(...span)) > 8) onZoom?.(Math.floor(Math.min(...span)), Math.ceil(Math.max(...span)));
  };
  return (
    <svg width={width} height={height} aria-hidden="true"
      onPointerDown={(event) => { if (onZoom && event.pointerType === "mouse") drag.value = [moment(event), moment(event)]; }}
      onPointerMove={(event) => {
        onPoint(nearest(times, moment(event)));
        if (drag.value) drag.value = [drag.value[0], moment(event)];
      }}
      onPointerUp={end_drag} onPointerLeave={() => { drag.value = null; onPoint(null); }}>
      <Grid levels={levels} x={x} y={y} from={from} to={to} width={width} height={height} format={format} />
      {blanks.map(({ from: begin, to: end, why }) => {
        const left = x(Math.max(from, begin)), span = Math.max(2, x(Math.min(to, end)) - left);
        return (
          <g key={begin} class="blank">
            <rect x={left} width={span} y={EDGE.top} height={high} />
            {span > why.length * LETTER && <text x={left + span / 2} y={EDGE.top + 14} text-anchor="middle">{why}</text>}
          </g>
        );
      })}
      {lines.map((line) => line.before && (
        <path key={`${line.key}-`} class={`curve before ${line.tone}-ink`} d={line_path(times, line.before, x, y)} />
      ))}
      {lines.map((line) => line.min && line.max && (
        <path key={`${line.key}~`} class={`band ${line.tone}-ink`} d={band_path(times, line.min, line.max, x, y)} />
      ))}
      {lines.map((line) => (
        <path key={line.key} class={`curve ${line.tone}-ink`} stroke-dasharray={dashes[line.tone].join(" ")} d={line_path(times, line.mean, x, y)} />
      ))}
      {drag.value && (
        <rect class="drag" x={x(Math.min(...drag.value))} width={Math.abs(x(drag.value[1]) - x(drag.value[0]))} y={EDGE.top} height={high} />
      )}
      {at !== null && times[at] !== undefined && <Cursor at={at} times={times} lines={lines} x={x} y={y} bottom={EDGE.top + high} />}
    </svg>
  );
}

function Grid({ levels, x, y, from, to, width, height, format }: {
  levels: number[]; x: (time: number) => number; y: (value: number) => number; from: number; to: number; width: number; height: number;
  format: PlotProps["format"];
}) {
  const span = to - from;
  const ticks = time_ticks(from, to, Math.max(2, Math.floor((width - EDGE.left) / 84)));
  const look = span <= 2 * 86_400 ? "time" : span <= 100 * 86_400 ? "day" : "month";
  return (
    <g class="grid">
      {levels.map((level) => (
        <g key={level}>
          <line x1={EDGE.left} x2={width - EDGE.right} y1={y(level)} y2={y(level)} />
          <text x={EDGE.left - 8} y={y(level) + 4} text-anchor="end">{format === number ? short(level) : format(level)}</text>
        </g>
      ))}
      {ticks.map((tick) => (
        <text key={tick} x={x(tick)} y={height - 6} text-anchor={x(tick) > width - 40 ? "end" : "middle"}>{when(tick, look)}</text>
      ))}
    </g>
  );
}

function Cursor({ at, times, lines, x, y, bottom }: {
  at: number; times: number[]; lines: Line[]; x: (time: number) => number; y: (value: number) => number; bottom: number;
}) {
  const left = x(times[at] ?? 0);
  return (
    <g class="cursor">
      <line x1={left} x2={left} y1={EDGE.top} y2={bottom} />
      {lines.map(({ key, tone, mean }) => {
        const value = mean[at] ?? null;
        return value === null ? null : <circle key={key} class={`${tone}-ink`} cx={left} cy={y(value)} r="3.5" />;
      })}
    </g>
  );
}
