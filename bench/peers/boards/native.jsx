// @atlaskit/pragmatic-drag-and-drop: the browser's own drag and drop, for the two boards made with it.

import { memo, useEffect, useRef, useState } from "react";
import {
  draggable,
  dropTargetForElements,
  monitorForElements,
} from "@atlaskit/pragmatic-drag-and-drop/element/adapter";
import { CardFace, cardClass } from "./card.jsx";

export const Card = memo(function Card({ order, top }) {
  const element = useRef(null);
  const [isDragged, setIsDragged] = useState(false);
  useEffect(
    () =>
      draggable({
        element: element.current,
        getInitialData: () => ({ rank: order.rank, stage: order.stage }),
        onDragStart: () => setIsDragged(true),
        onDrop: () => setIsDragged(false),
      }),
    [order],
  );
  const place = top === undefined ? undefined : { position: "absolute", top, left: 0, right: 0 };
  return (
    <div ref={element} className={cardClass(order, isDragged)} style={place}>
      <CardFace order={order} />
    </div>
  );
});

// Let cards be dropped on a column.
export function useDropTarget(stage) {
  const element = useRef(null);
  useEffect(
    () => dropTargetForElements({ element: element.current, getData: () => ({ stage }) }),
    [stage],
  );
  return element;
}

// Move what was dropped.
export function useDrops(move) {
  useEffect(
    () =>
      monitorForElements({
        onDrop: ({ source, location }) => {
          const goal = location.current.dropTargets[0];
          if (goal) move(source.data.rank, source.data.stage, goal.data.stage);
        },
      }),
    [move],
  );
}
