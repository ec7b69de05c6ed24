// What the four boards have in common: the page around the columns, and the start.

import { createRoot } from "react-dom/client";
import { readColumns, TITLES } from "./orders.js";

export function Header({ stage, count }) {
  return (
    <header>
      <b>{TITLES[stage]}</b> {count}
    </header>
  );
}

export function Frame({ children }) {
  return (
    <>
      <div className="top">
        <b>Fulfillment</b>
        <input placeholder="Scan a label, or type to search" />
      </div>
      <div className="view">Today’s dispatch</div>
      <main>{children}</main>
      <div className="status">Live</div>
    </>
  );
}

export async function start(Board) {
  const columns = await readColumns();
  createRoot(document.getElementById("board")).render(<Board first={columns} />);
}
