// Our card in HTML: the fields, places and colours of ui.md, comfortable and (shipped) compact.

import { memo } from "react";
import { avatarOf, bandOf, countOf, glyphOf, initialsOf, timeOf } from "./texts.js";

const TAG_ICONS = { gift: "gift", fragile: "package-open", export: "tag", repeat: "refresh-cw" };
const MOST_PIPS = 14;

function Icon({ name, className }) {
  return (
    <svg className={className}>
      <use href={`#${name}`} />
    </svg>
  );
}

function Pips({ order }) {
  if (order.lines_total > MOST_PIPS)
    return (
      <span className="bar">
        <i style={{ width: `${(100 * order.lines_picked) / order.lines_total}%` }} />
      </span>
    );
  return Array.from({ length: order.lines_total }, (_, place) => (
    <i key={place} className={place < order.lines_picked ? "pip full" : "pip"} />
  ));
}

function Claim({ order }) {
  if (!order.claimed_by) return null;
  return (
    <span className="claim">
      {order.claimed_by}
      <b style={{ background: avatarOf(order.claimed_id) }}>{initialsOf(order.claimed_by)}</b>
    </span>
  );
}

function Foot({ order }) {
  const band = bandOf(order);
  if (band)
    return (
      <div className={`band ${band.tone}`}>
        <Icon name={band.icon} />
        {band.text}
      </div>
    );
  return (
    <div className="foot">
      <Pips order={order} />
      <span className="count">{countOf(order)}</span>
      <Claim order={order} />
    </div>
  );
}

// The inside of a card. What can be dragged is around it, and differs from library to library.
export const CardFace = memo(function CardFace({ order }) {
  const glyph = glyphOf(order);
  const time = timeOf(order);
  return (
    <>
      <Icon name={glyph.icon} className={`glyph ${glyph.tone}`} />
      <b className="number">#{order.number}</b>
      <span className="tags">
        {order.has_note > 0 && <Icon name="message-square" />}
        {order.tags.map((tag) => (
          <Icon key={tag} name={TAG_ICONS[tag]} />
        ))}
      </span>
      <span className={`pill ${time.tone}`}>
        {time.icon && <Icon name={time.icon} />}
        {time.text}
      </span>
      <div className="customer">
        {order.customer} <span>· {order.city}</span>
      </div>
      {order.stage === "shipped" ? <span className="carrier">{order.carrier}</span> : <Foot order={order} />}
    </>
  );
});

export function cardClass(order, isDragged = false) {
  const cancelled = order.is_cancelled ? " is-cancelled" : "";
  return `card ${order.stage}${order.hold_reason ? " is-held" : ""}${cancelled}${isDragged ? " is-dragged" : ""}`;
}
