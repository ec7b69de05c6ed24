// The browser's own drag and drop, every card in the document.

import { memo } from "react";
import { Frame, Header, start } from "./frame.jsx";
import { Card, useDropTarget, useDrops } from "./native.jsx";
import { STAGES, useColumns } from "./orders.js";

const Column = memo(function Column({ stage, orders }) {
  const element = useDropTarget(stage);
  return (
    <section ref={element}>
      <Header stage={stage} count={orders.length} />
      <div className="list">
        {orders.map((order) => (
          <Card key={order.rank} order={order} />
        ))}
      </div>
    </section>
  );
});

function Board({ first }) {
  const { columns, move } = useColumns(first);
  useDrops(move);
  return (
    <Frame>
      {STAGES.map((stage) => (
        <Column key={stage} stage={stage} orders={columns[stage]} />
      ))}
    </Frame>
  );
}

start(Board);
