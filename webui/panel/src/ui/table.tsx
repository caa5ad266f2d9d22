// A list of any length: rows in sight only, keys to walk it, cards where the window is narrow.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { type Signal, useSignal } from "@preact/signals";
import { number } from "../core/format";
import { t } from "../core/i18n";
import { density } from "../core/theme";
import { in_sight } from "../core/virtual";
import { Button } from "./button";
import { is_middling, is_narrow, is_wide } from "./media";
import { CardList } from "./table_cards";

export interface Column<T> {
  key: string;
  title: string;
  cell: (row: T) => ComponentChildren;
  /** A track of a CSS grid; minmax(0, 1fr) unless told. */
  width?: string;
  num?: boolean;
  sort?: boolean;
  /** Left out where the window is not that wide. */
  from?: "middle" | "wide";
  /** On a card: its title, beside the title, or nowhere; else a line with its name. */
  card?: "title" | "state" | "hide";
}

export interface TableProps<T> {
  label: string;
  columns: Column<T>[];
  rows: T[];
  key_of: (row: T) => string;
  /** Spoken name of a row, for its check box. */
  name_of?: (row: T) => string;
  total?: number | null;
  estimate?: boolean;
  /** There are more rows at the server: called when the end comes into sight. */
  more?: (() => void) | null;
  busy?: boolean;
  picked?: Signal<Set<string>>;
  onOpen?: (row: T) => void;
  /** The title of a card leads there already. */
  linked?: boolean;
  sort?: string;
  onSort?: (sort: string) => void;
  foot?: ComponentChildren;
}

const ABOVE = 100; // the bar and the names of the columns
const BELOW = 72; // where orders for a selection stand
const FEW = 20;
const HEIGHTS = { roomy: 36, dense: 28 };

export function toggle(picked: Signal<Set<string>>, key: string): void {
  const next = new Set(picked.value);
  if (!next.delete(key)) next.add(key);
  picked.value = next;
}

export function visible<T>(columns: Column<T>[]): Column<T>[] {
  return columns.filter(({ from }) => !from || (from === "middle" ? !is_middling.value : is_wide.value));
}

export function DataTable<T>(props: TableProps<T>) {
  return (
    <div class="table">
      {is_narrow.value ? <CardList {...props} /> : <Grid {...props} />}
      <Foot {...props} />
    </div>
  );
}

function Foot<T>({ rows, total, estimate, more, busy, foot }: TableProps<T>) {
  const all = total ?? null;
  if (!foot && !more && rows.length <= FEW && (all === null || all <= rows.length)) return null; // one sees how many
  return (
    <div class="foot">
      <span>
        {all === null || all <= rows.length ? t("table.rows", { n: number(rows.length) })
          : t(estimate ? "table.about" : "table.of", { n: number(rows.length), total: number(all) })}
      </span>
      {more && <Button small busy={busy ?? false} onClick={more}>{t("table.more")}</Button>}
      {foot}
    </div>
  );
}

function Grid<T>(props: TableProps<T>) {
  const { rows, columns: all, key_of, picked, onOpen, more } = props;
  const id = useId();
  const body = useRef<HTMLDivElement>(null);
  const current = useSignal(0);
  const row_height = HEIGHTS[density.value];
  const span = useSignal({ first: 0, end: 40 });
  const columns = visible(all);
  const tracks = (picked ? "1.5rem " : "") + columns.map(({ width }) => width ?? "minmax(0, 1fr)").join(" ");

  useEffect(() => {
    const look = () => {
      const top = body.current?.getBoundingClientRect().top ?? 0;
      const seen = in_sight(rows.length, row_height, top, innerHeight);
      if (seen.first !== span.peek().first || seen.end !== span.peek().end) span.value = seen;
      if (more && seen.end >= rows.length) more();
    };
    look();
    addEventListener("scroll", look, { passive: true });
    addEventListener("resize", look);
    return () => {
      removeEventListener("scroll", look);
      removeEventListener("resize", look);
    };
  }, [rows.length, row_height, more]);

  const walk = (to: number) => {
    const next = Math.max(0, Math.min(rows.length - 1, to));
    const top = (body.current?.getBoundingClientRect().top ?? 0) + next * row_height;
    current.value = next;
    if (top < ABOVE) scrollBy(0, top - ABOVE);
    else if (top + row_height > innerHeight - BELOW) scrollBy(0, top + row_height - innerHeight + BELOW);
  };
  const keys: Record<string, () => void> = {
    ArrowDown: () => walk(current.value + 1),
    ArrowUp: () => walk(current.value - 1),
    PageDown: () => walk(current.value + 15),
    PageUp: () => walk(current.value - 15),
    Home: () => walk(0),
    End: () => walk(rows.length - 1),
    Enter: () => { const row = rows[current.value]; if (row) onOpen?.(row); },
    " ": () => { const row = rows[current.value]; if (row && picked) toggle(picked, key_of(row)); },
  };
  const press = (event: KeyboardEvent) => {
    const act = keys[event.key];
    if (event.target !== event.currentTarget || !act) return;
    event.preventDefault();
    act();
  };

  const at = Math.min(current.value, rows.length - 1);
  return (
    <div role="grid" aria-label={props.label} aria-rowcount={(props.total ?? rows.length) + 1}
      aria-colcount={columns.length + (picked ? 1 : 0)} aria-multiselectable={picked ? true : undefined}
      aria-activedescendant={rows.length ? `${id}-${at}` : undefined} tabIndex={0} onKeyDown={press}>
      <HeadRow {...props} columns={columns} tracks={tracks} />
      <div role="rowgroup" class="body" ref={body} style={{ height: `${rows.length * row_height}px` }}>
        {rows.slice(span.value.first, span.value.end).map((row, k) => {
          const i = span.value.first + k;
          return (
            <Row key={key_of(row)} {...props} row={row} columns={columns} tracks={tracks} index={i} id={`${id}-${i}`}
              current={i === at} top={i * row_height} onHit={() => { current.value = i; }} />
          );
        })}
      </div>
    </div>
  );
}

function HeadRow<T>({ columns, tracks, rows, picked, key_of, sort, onSort }: TableProps<T> & { tracks: string }) {
  const all = picked && rows.length > 0 && rows.every((row) => picked.value.has(key_of(row)));
  return (
    <div role="rowgroup" class="heads">
      <div role="row" class="row head-row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
        {picked && (
          <div role="columnheader" class="pick">
            <input type="checkbox" aria-label={t("table.all")} checked={all ?? false}
              onChange={() => { picked.value = new Set(all ? [] : rows.map(key_of)); }} />
          </div>
        )}
        {columns.map((column) => {
          const order = sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : undefined;
          return (
            <div key={column.key} role="columnheader" class={column.num ? "num" : ""} aria-sort={order}>
              {column.sort && onSort
                ? <button type="button" onClick={() => onSort(order === "descending" ? column.key : `-${column.key}`)}>
                  {column.title}<span aria-hidden="true">{order ? (order === "ascending" ? "↑" : "↓") : ""}</span>
                </button>
                : column.title}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface RowProps<T> extends TableProps<T> {
  row: T;
  tracks: string;
  index: number;
  id: string;
  top: number;
  current: boolean;
  onHit: () => void;
}

function Row<T>({ row, columns, tracks, index, id, top, current, picked, key_of, name_of, onOpen, onHit }: RowProps<T>) {
  const key = key_of(row);
  const is_picked = picked?.value.has(key);
  const click = (event: MouseEvent) => {
    onHit();
    if ((event.target as Element).closest("a, button, input, label") || getSelection()?.toString()) return;
    onOpen?.(row);
  };
  return (
    <div role="row" id={id} aria-rowindex={index + 2} aria-selected={picked ? is_picked : undefined} onClick={click}
      class={`row ${current ? "current" : ""} ${onOpen ? "target" : ""}`}
      style={{ gridTemplateColumns: tracks, top: `${top}px` }}>
      {picked && (
        <div role="gridcell" class="pick">
          <input type="checkbox" tabIndex={-1} checked={is_picked ?? false}
            aria-label={t("table.pick", { name: name_of?.(row) ?? key })} onChange={() => toggle(picked, key)} />
        </div>
      )}
      {columns.map((column) => (
        <div key={column.key} role="gridcell" class={column.num ? "num" : ""}>{column.cell(row)}</div>
      ))}
    </div>
  );
}
