// Which rows of a long list are in sight.  Pure: pixels in, indices out.

export interface Span {
  first: number;
  /** One behind the last. */
  end: number;
}

/** top: where the list begins, from the top of the window; over: rows drawn beyond each edge. */
export function in_sight(n: number, row: number, top: number, window_height: number, over = 10): Span {
  const first = Math.max(0, Math.min(n, Math.floor(-top / row) - over));
  const end = Math.max(first, Math.min(n, Math.ceil((window_height - top) / row) + over));
  return { first, end };
}
