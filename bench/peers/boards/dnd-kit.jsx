// @dnd-kit/core: cards that can be dragged, columns that can be dropped on, the lifted card in an overlay.
//
// Without the sortable preset: our cards are sorted by cut-off, and it would make this board slower.

import { memo, useCallback, useState } from "react";
import {
  DndContext,
  DragOverlay,
  PointerSensor,
  pointerWithin,
  useDraggable,
  useDroppable,
  useSensor,
  useSensors,
} from "@dnd-kit/core";
import { CardFace, cardClass } from "./card.jsx";
import { Frame, Header, start } from "./frame.jsx";
import { STAGES, useColumns } from "./orders.js";

const SLOP = { activationConstraint: { distance: 8 } };

const Card = memo(function Card({ order }) {
  const { attributes, listeners, setNodeRef, isDragging } = useDraggable({ id: order.rank, data: order });
  return (
    <div ref={setNodeRef} {...listeners} {...attributes} className={cardClass(order, isDragging)}>
      <CardFace order={order} />
    </div>
  );
});

const Cards = memo(function Cards({ orders }) {
  return orders.map((order) => <Card key={order.rank} order={order} />);
});

const Column = memo(function Column({ stage, orders }) {
  const { setNodeRef } = useDroppable({ id: stage });
  return (
    <section ref={setNodeRef}>
      <Header stage={stage} count={orders.length} />
      <div className="list">
        <Cards orders={orders} />
      </div>
    </section>
  );
});

function Board({ first }) {
  const { columns, move } = useColumns(first);
  const [lifted, setLifted] = useState(null);
  const sensors = useSensors(useSensor(PointerSensor, SLOP));
  const onDragStart = useCallback(({ active }) => setLifted(active.data.current), []);
  const onDragCancel = useCallback(() => setLifted(null), []);
  const onDragEnd = useCallback(
    ({ active, over }) => {
      setLifted(null);
      if (over) move(active.id, active.data.current.stage, over.id);
    },
    [move],
  );
  return (
    <Frame>
      <DndContext
        sensors={sensors}
        collisionDetection={pointerWithin}
        onDragStart={onDragStart}
        onDragCancel={onDragCancel}
        onDragEnd={onDragEnd}
      >
        {STAGES.map((stage) => (
          <Column key={stage} stage={stage} orders={columns[stage]} />
        ))}
        <DragOverlay dropAnimation={null}>
          {lifted && (
            <div className={`${cardClass(lifted)} is-lifted`}>
              <CardFace order={lifted} />
            </div>
          )}
        </DragOverlay>
      </DndContext>
    </Frame>
  );
}

start(Board);
