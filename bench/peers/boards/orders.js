// The orders of a page: read once from the server, kept as one sorted list a stage.
//
// A row is what `bench/peers/cards.py` writes, with the names of its fields once. `rank` is its place in the
// sort of the whole board, so a card that is dropped finds its place by one number.

import { useCallback, useRef, useState } from "react";

export const STAGES = ["confirmed", "picking", "picked", "shipped"];
export const TITLES = {
  confirmed: "Confirmed",
  picking: "Picking",
  picked: "Picked",
  shipped: "Shipped today",
};

export async function readColumns() {
  const answer = await fetch(`/orders.json?count=${new URLSearchParams(location.search).get("count")}`);
  const { fields, rows } = await answer.json();
  const columns = { confirmed: [], picking: [], picked: [], shipped: [] };
  rows.forEach((row, rank) => {
    const order = { rank };
    fields.forEach((field, place) => {
      order[field] = row[place];
    });
    columns[order.stage].push(order);
  });
  return columns;
}

function placeOf(list, rank) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].rank < rank) low = middle + 1;
    else high = middle;
  }
  return low;
}

function moved(columns, rank, from, to) {
  const place = placeOf(columns[from], rank);
  const order = columns[from][place];
  if (from === to || order === undefined || order.rank !== rank) return columns;
  const goal = columns[to];
  const at = placeOf(goal, rank);
  return {
    ...columns,
    [from]: columns[from].toSpliced(place, 1),
    [to]: goal.toSpliced(at, 0, { ...order, stage: to }),
  };
}

// Return the columns and the one function that changes them. It never changes itself, so that a card
// that got it is not drawn again for it.
export function useColumns(first) {
  const [columns, setColumns] = useState(first);
  const shown = useRef(columns);
  shown.current = columns;
  const move = useCallback((rank, from, to) => setColumns((old) => moved(old, rank, from, to)), []);
  return { columns, move, shown };
}
