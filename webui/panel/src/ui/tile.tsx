// One number with its last day beside it.
import type { ComponentChildren } from "preact";
import { Shape, type Tone } from "./state";

/** Gaps stay gaps.  Pure. */
export function spark_path(values: (number | null)[], width: number, height: number): string {
  const top = Math.max(1, ...values.map((value) => value ?? 0));
  const step = values.length > 1 ? width / (values.length - 1) : 0;
  let is_open = false;
  return values.map((value, i) => {
    if (value === null) { is_open = false; return ""; }
    const point = `${is_open ? "L" : "M"}${(i * step).toFixed(1)} ${(height - (value / top) * height).toFixed(1)}`;
    is_open = true;
    return point;
  }).join("");
}

export function Spark({ values, tone }: { values: (number | null)[] | null | undefined; tone: Tone }) {
  const known = values?.some((value) => value !== null);
  if (!values || !known) return <svg class="spark" aria-hidden="true" />;
  const path = spark_path(values, 120, 28);
  return (
    <svg class={`spark ${tone}-ink`} viewBox="0 0 120 28" preserveAspectRatio="none" aria-hidden="true">
      {!values.includes(null) && <path class="under" d={`${path}L120 28L0 28Z`} />}
      <path d={path} />
    </svg>
  );
}

export function Tile({ name, value, note, tone, spark, href }: {
  name: string; value: string; note?: ComponentChildren; tone: Tone; spark?: (number | null)[] | null; href?: string;
}) {
  const inside = (
    <>
      <span class="name"><Shape tone={tone} />{name}</span>
      <span class="value">{value}</span>
      <span class="note">{note}</span>
      {spark !== undefined && <Spark values={spark} tone={tone} />}
    </>
  );
  return href ? <a class="tile" href={href}>{inside}</a> : <div class="tile">{inside}</div>;
}
