// The only file that imports uPlot: a line for the mean, a band from least to most.
import uPlot from "uplot";
import { short, when } from "../core/format";
import { colour } from "../core/theme";
import { type ChartProps, dashes, type Line } from "./chart";
import type { Tone } from "./state";

export interface Plot {
  point(i: number): void;
  destroy(): void;
}

const tokens: Record<Tone, string> = {
  delivered: "delivered", deferred: "deferred", bounced: "bounced", held: "held", queued: "queued", plain: "muted",
};

function faint(rgb: string, share: number): string {
  return rgb.replace(/^rgba?\(([^)]+)\)$/, (_, parts: string) => {
    const [r, g, b] = parts.split(/[ ,/]+/);
    return `rgb(${r} ${g} ${b} / ${share})`;
  });
}

const banded = (line: Line): boolean => Boolean(line.min && line.max);

function series_of(lines: Line[]): { series: uPlot.Series[]; bands: uPlot.Band[]; data: (number | null)[][] } {
  const series: uPlot.Series[] = [{}], bands: uPlot.Band[] = [], data: (number | null)[][] = [];
  for (const line of lines) {
    const stroke = colour(tokens[line.tone]);
    if (banded(line)) {
      bands.push({ series: [series.length + 1, series.length], fill: faint(stroke, 0.16) });
      series.push({ points: { show: false } }, { points: { show: false } });
      data.push(line.min!, line.max!);
    }
    series.push({ stroke, width: 2, dash: dashes[line.tone], points: { show: false }, spanGaps: false });
    data.push(line.mean);
  }
  return { series, bands, data };
}

function axes(props: ChartProps): uPlot.Axis[] {
  const ink = colour("muted"), line = { stroke: colour("line"), width: 1 };
  const font = "12px system-ui, sans-serif";
  const span = (props.times.at(-1) ?? 0) - (props.times[0] ?? 0);
  const look = span <= 2 * 86400 ? "time" : span <= 100 * 86400 ? "day" : "month";
  return [
    { stroke: ink, font, grid: { show: false }, ticks: line, space: 72, values: (_, ticks) => ticks.map((tick) => when(tick, look)) },
    { stroke: ink, font, grid: line, ticks: { show: false }, size: 56, values: (_, ticks) => ticks.map((tick) => (props.format === undefined || Number.isInteger(tick) ? short(tick) : props.format(tick))) },
  ];
}

export function draw(element: HTMLElement, props: ChartProps, onPoint: (i: number | null) => void): Plot {
  const { series, bands, data } = series_of(props.lines);
  const size = () => ({ width: Math.max(200, element.clientWidth), height: Math.max(160, element.clientHeight) });
  const plot = new uPlot({
    ...size(), series, bands, axes: axes(props),
    legend: { show: false },
    cursor: { drag: { x: Boolean(props.onZoom), y: false, setScale: false }, points: { size: 7 } },
    scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.08 : 1] } },
    hooks: {
      setCursor: [(self) => onPoint(self.cursor.idx ?? null)],
      setSelect: [(self) => {
        if (self.select.width > 8) props.onZoom?.(
          Math.floor(self.posToVal(self.select.left, "x")), Math.ceil(self.posToVal(self.select.left + self.select.width, "x")));
      }],
    },
  }, [props.times, ...data], element);
  const watch = new ResizeObserver(() => plot.setSize(size()));
  watch.observe(element);
  return {
    point: (i) => plot.setCursor({ left: plot.valToPos(props.times[i] ?? 0, "x"), top: plot.bbox.height / (4 * devicePixelRatio) }),
    destroy: () => { watch.disconnect(); plot.destroy(); },
  };
}
