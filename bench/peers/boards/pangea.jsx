// @hello-pangea/dnd: every column a list that can be dropped on, every card of it in the document.

import { memo, useCallback } from "react";
import { DragDropContext, Draggable, Droppable } from "@hello-pangea/dnd";
import { CardFace, cardClass } from "./card.jsx";
import { Frame, Header, start } from "./frame.jsx";
import { STAGES, useColumns } from "./orders.js";

const Card = memo(function Card({ order, index }) {
  return (
    <Draggable draggableId={String(order.rank)} index={index}>
      {(provided, snapshot) => (
        <div
          ref={provided.innerRef}
          {...provided.draggableProps}
          {...provided.dragHandleProps}
          className={cardClass(order) + (snapshot.isDragging ? " is-lifted" : "")}
        >
          <CardFace order={order} />
        </div>
      )}
    </Draggable>
  );
});

const Cards = memo(function Cards({ orders }) {
  return orders.map((order, index) => <Card key={order.rank} order={order} index={index} />);
});

const Column = memo(function Column({ stage, orders }) {
  return (
    <section>
      <Header stage={stage} count={orders.length} />
      <Droppable droppableId={stage}>
        {(provided) => (
          <div className="list" ref={provided.innerRef} {...provided.droppableProps}>
            <Cards orders={orders} />
            {provided.placeholder}
          </div>
        )}
      </Droppable>
    </section>
  );
});

function Board({ first }) {
  const { columns, move } = useColumns(first);
  const onDragEnd = useCallback(
    ({ draggableId, source, destination }) => {
      if (destination) move(Number(draggableId), source.droppableId, destination.droppableId);
    },
    [move],
  );
  return (
    <Frame>
      <DragDropContext onDragEnd={onDragEnd}>
        {STAGES.map((stage) => (
          <Column key={stage} stage={stage} orders={columns[stage]} />
        ))}
      </DragDropContext>
    </Frame>
  );
}

start(Board);
