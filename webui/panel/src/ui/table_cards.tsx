// The same list where the window is narrow: one card for each row, fifty at a time.
import { useSignal } from "@preact/signals";
import { number } from "../core/format";
import { t } from "../core/i18n";
import { Button } from "./button";
import type { TableProps } from "./table";
import { toggle } from "./table";

const AT_A_TIME = 50;

export function CardList<T>(props: TableProps<T>) {
  const { rows, key_of, label } = props;
  const shown = useSignal(AT_A_TIME);
  return (
    <>
      <ul aria-label={label}>
        {rows.slice(0, shown.value).map((row) => <CardRow key={key_of(row)} {...props} row={row} />)}
      </ul>
      {rows.length > shown.value && (
        <div class="foot">
          <Button small onClick={() => { shown.value += AT_A_TIME; }}>
            {t("table.show", { n: number(Math.min(AT_A_TIME, rows.length - shown.value)) })}
          </Button>
        </div>
      )}
    </>
  );
}

function CardRow<T>({ row, columns, picked, key_of, name_of, onOpen, linked }: TableProps<T> & { row: T }) {
  const key = key_of(row);
  const title = columns.find(({ card }) => card === "title") ?? columns[0];
  const states = columns.filter(({ card }) => card === "state");
  const rest = columns.filter((column) => !column.card && column !== title);
  return (
    <li class="card-row">
      <div class="title">
        {picked && (
          <label class="check">
            <input type="checkbox" checked={picked.value.has(key)} onChange={() => toggle(picked, key)}
              aria-label={t("table.pick", { name: name_of?.(row) ?? key })} />
          </label>
        )}
        <span>{onOpen && !linked ? <button type="button" class="open" onClick={() => onOpen(row)}>{title?.cell(row)}</button> : title?.cell(row)}</span>
        {states.map((column) => <span key={column.key} class="fixed">{column.cell(row)}</span>)}
      </div>
      <dl>
        {rest.map((column) => [
          <dt key={column.key}>{column.title}</dt>, <dd key={`${column.key}=`}>{column.cell(row)}</dd>,
        ])}
      </dl>
    </li>
  );
}
