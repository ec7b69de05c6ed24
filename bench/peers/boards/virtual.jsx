// The browser's own drag and drop, and only the cards in sight in the document (@tanstack/react-virtual).

import { memo, useCallback, useRef } from "react";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Frame, Header, start } from "./frame.jsx";
import { Card, useDropTarget, useDrops } from "./native.jsx";
import { STAGES, useColumns } from "./orders.js";

const PITCH = { confirmed: 92, picking: 92, picked: 92, shipped: 58 };

const Column = memo(function Column({ stage, orders }) {
  const element = useDropTarget(stage);
  const list = useRef(null);
  const virtual = useVirtualizer({
    count: orders.length,
    getScrollElement: () => list.current,
    estimateSize: useCallback(() => PITCH[stage], [stage]),
    getItemKey: useCallback((index) => orders[index].rank, [orders]),
    overscan: 4,
  });
  return (
    <section ref={element}>
      <Header stage={stage} count={orders.length} />
      <div className="list" ref={list}>
        <div style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {virtual.getVirtualItems().map((item) => (
            <Card key={item.key} order={orders[item.index]} top={item.start} />
          ))}
        </div>
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
