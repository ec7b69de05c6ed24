// The words of a card, as ui.md wants them: the time as one word group, counts, the one exceptional thing.

const MINUTE = 60_000;
const RELATIVE = 180 * MINUTE;
const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short" });
const AVATARS = ["#0B6BA8", "#8A3B12", "#5A2DC0", "#0E6530", "#9A1750", "#6B5200"];

// The clock of a page stands still, which spares it the ticking of ours.
const NOW = Date.now();
const TODAY = new Date(NOW).toDateString();

function moment(at) {
  const date = new Date(at);
  const clock = CLOCK.format(date);
  return date.toDateString() === TODAY ? clock : `${DAY.format(date)} ${clock}`;
}

export function timeOf(order) {
  if (order.stage === "shipped") return { text: moment(order.stage_ms), tone: "" };
  if (order.is_cancelled) return { text: "Cancelled", tone: "late", icon: "octagon-alert" };
  if (order.hold_reason) return { text: "On hold", tone: "held", icon: "circle-pause" };
  if (order.cut_off_ms === null) return { text: "", tone: "" };
  const left = order.cut_off_ms - NOW;
  if (left < 0) {
    const text = left > -RELATIVE ? `${Math.ceil(-left / MINUTE)} min late` : `Late, ${moment(order.cut_off_ms)}`;
    return { text, tone: "late", icon: "octagon-alert" };
  }
  const text = left < RELATIVE ? `${Math.floor(left / MINUTE)} min` : moment(order.cut_off_ms);
  const isAtRisk = left < (order.lines_total - order.lines_picked) * MINUTE;
  return isAtRisk ? { text, tone: "risk", icon: "triangle-alert" } : { text, tone: "" };
}

export function glyphOf(order) {
  if (order.stage === "shipped") return { icon: "circle-check", tone: "good" };
  if (order.hold_reason) return { icon: "circle-pause", tone: "" };
  return order.priority > 0 ? { icon: "chevrons-up", tone: "bad" } : { icon: "circle", tone: "" };
}

function counted(count, one) {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

export function countOf(order) {
  if (order.stage === "confirmed" && order.lines_picked === 0)
    return `${counted(order.lines_total, "line")} · ${counted(order.pieces, "pc")}`;
  return `${order.lines_picked}/${counted(order.lines_total, "line")}`;
}

export function bandOf(order) {
  if (order.is_cancelled) return { tone: "cancelled", icon: "ban", text: "Cancelled: put back what was picked" };
  if (order.hold_reason) return { tone: "hold", icon: "circle-pause", text: order.hold_reason };
  if (order.lines_short) return { tone: "short", icon: "package-x", text: `Short ${counted(order.lines_short, "line")}` };
  return null;
}

export function initialsOf(name) {
  const words = name.replaceAll(".", " ").split(" ").filter(Boolean);
  return (words.length === 1 ? words[0][0] : words[0][0] + words.at(-1)[0]).toUpperCase();
}

export function avatarOf(id) {
  let sum = 0;
  for (let place = 0; place < id.length; place += 1) sum += id.charCodeAt(place);
  return AVATARS[sum % AVATARS.length];
}
