// Gestures: mouse, pen and fingers on the picture.

import { byId, say } from "./dom.js";
import { hideLoupe, showLoupe } from "./loupe.js";
import { hit, overlay, place, showOutlines } from "./overlay.js";
import { grips, moveGrip } from "./pelvis.js";
import { addPoint, asks, begin as beginRuler, hitRuler, hover as hoverRuler, KINDS, placeRulers } from "./rulers.js";
import { stepSlice } from "./slices.js";
import { change, emit, fitBox, on, recalculate, remember, select, snapshot, store } from "./store.js";
import { dragWindow, pan, toPicture, view, zoom } from "./viewer.js";

const box = byId("viewer");
const REACH = { mouse: 11, pen: 14, touch: 26 };
const TAP = 4; // px a finger may move and still tap
const MOVING = ["point", "body", "landmark"];
const CHANGING = [...MOVING, "ruler"];
const ASK_MS = 6;
const pointers = new Map();
let tool = "select", gesture = null;

export function setTool(name) {
  tool = store.current ? name : "select";
  for (const button of document.querySelectorAll("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  overlay.adding = tool === "add" ? { points: [], pointer: null } : null;
  beginRuler(tool);
  byId("measure-menu").classList.toggle("on", tool in KINDS);
  if (overlay.adding) showOutlines(true); // what is added must be seen
  box.dataset.tool = tool;
  hint();
  place();
}

export const currentTool = () => tool;

function hint() {
  const { schema } = store.current?.info ?? {};
  let text = asks();
  if (overlay.adding && schema) {
    const done = overlay.adding.points.length;
    const name = schema.points[schema.clicked[done]].replace("_", " ");
    text = `Click the ${name} corner (${done + 1} of ${schema.clicked.length}). Backspace takes one back, Esc ends.`;
  }
  say(byId("hint"), text);
}

// Undo the last corner; returns whether there was one.
export function takeBack() {
  if (!overlay.adding?.points.length) return false;
  overlay.adding.points.pop();
  hint();
  place();
  return true;
}

function addCorner(point) {
  const { schema } = store.current.info;
  overlay.adding.points.push(point);
  if (overlay.adding.points.length < schema.clicked.length) return hint();
  const points = Array.from({ length: schema.points.length }, () => [0, 0]);
  schema.clicked.forEach((k, n) => (points[k] = overlay.adding.points[n]));
  for (const [k, a, b] of schema.between) points[k] = [(points[a][0] + points[b][0]) / 2, (points[a][1] + points[b][1]) / 2];
  const vertebra = { points, visible: points.map(() => true), label: null, score: null, sigma: null, box: null };
  fitBox(vertebra);
  overlay.adding.points = [];
  const index = store.current.reading.vertebrae.length;
  change((reading) => reading.vertebrae.push(vertebra), { sort: true });
  select(index, null);
  hint();
}

const at = (event) => {
  const frame = gesture?.frame ?? box.getBoundingClientRect(); // asked while figures are written it costs a layout
  return [event.clientX - frame.left, event.clientY - frame.top];
};

box.addEventListener("pointerdown", (event) => {
  if (!store.current || event.target.closest("button, input, label, details, #welcome, #fault")) return;
  box.focus({ preventScroll: true });
  box.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, at(event));
  if (pointers.size === 2) {
    finish(true);
    gesture = { kind: "pinch" };
    return;
  }
  if (pointers.size === 1) begin(event);
});

function begin(event) {
  const start = at(event);
  const common = { start, last: start, moved: false, type: event.pointerType, frame: box.getBoundingClientRect() };
  if (event.button === 1) return (gesture = { ...common, kind: "pan" });
  if (event.button === 2 || tool === "window") return (gesture = { ...common, kind: "window" });
  if (tool === "add") return (gesture = { ...common, kind: "add" });
  const ruler = hitRuler(start, event.pointerType);
  if (ruler) return (gesture = { ...common, kind: "ruler", ...ruler, before: snapshot() });
  if (tool in KINDS) return (gesture = { ...common, kind: "measure" });
  const found = hit(start, REACH[event.pointerType] ?? 11);
  if (found?.landmark !== undefined) {
    const [x, y] = toPicture(start), point = grips(store.current.reading.landmarks[found.landmark])[found.point];
    gesture = { ...common, kind: "landmark", ...found, grip: [point[0] - x, point[1] - y], before: snapshot() };
    select(null, found.point, found.landmark);
  } else if (found && found.point !== null) {
    const point = store.current.reading.vertebrae[found.vertebra].points[found.point];
    const [x, y] = toPicture(start);
    // The point keeps its distance to the pointer, so that touching it does not move it.
    gesture = { ...common, kind: "point", ...found, grip: [point[0] - x, point[1] - y], before: snapshot() };
    select(found.vertebra, found.point);
  } else if (found && event.shiftKey) {
    gesture = { ...common, kind: "body", ...found, before: snapshot() };
    select(found.vertebra, null);
  } else gesture = { ...common, kind: "pan", found };
}

box.addEventListener("pointermove", (event) => {
  const now = at(event);
  if (!pointers.has(event.pointerId)) return hover(event, now);
  const before = pointers.get(event.pointerId);
  if (gesture?.kind === "pinch" && pointers.size === 2) {
    const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
    const apart = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
    const centre = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    const [from, to] = [centre(before, other), centre(now, other)];
    pan(to[0] - from[0], to[1] - from[1]);
    zoom(apart(now, other) / Math.max(1, apart(before, other)), to);
  } else if (gesture) drag(event, now);
  pointers.set(event.pointerId, now);
});

// Where the browser tells of a movement before its next frame, the server is asked at once: the frame that shows the
// point can show its figures too. A mouse may move a thousand times a second; the server is not asked that often.
box.addEventListener("pointerrawupdate", (event) => {
  if (!gesture || pointers.size !== 1 || !MOVING.includes(gesture.kind) || event.timeStamp - (gesture.asked ?? 0) < ASK_MS) return;
  if (carry(at(event))) ask(event.timeStamp);
});

function ask(since) {
  gesture.asked = since;
  gesture.known = gesture.last;
  recalculate({ live: true, since });
}

function drag(event, now) {
  const [dx, dy] = [now[0] - gesture.last[0], now[1] - gesture.last[1]];
  if (MOVING.includes(gesture.kind)) {
    if (!carry(now)) return;
    overlay.dragging = true;
    // Asked first: while the server computes the point is drawn.
    if (String(gesture.known) !== String(now)) ask(event.timeStamp);
    const { landmarks, vertebrae } = store.current.reading, { landmark, vertebra, point } = gesture;
    if (landmark !== undefined) showLoupe(grips(landmarks[landmark])[point]);
    else if (point !== null) showLoupe(vertebrae[vertebra].points[point], vertebrae[vertebra]);
    emit("moved", { since: event.timeStamp });
    return;
  }
  if (!begun(now)) return;
  if (gesture.kind === "pan") return pan(dx, dy);
  if (gesture.kind === "window") return dragWindow(dx, dy);
  if (gesture.kind === "ruler") {
    gesture.drawing.points[gesture.point] = clamp(toPicture(now));
    showLoupe(gesture.drawing.points[gesture.point]);
    return placeRulers();
  }
  if (gesture.kind === "measure") {
    // A line drawn in one go: its first end where the drag began.
    if (!gesture.begun) addPoint(clamp(toPicture(gesture.start)));
    gesture.begun = true;
    hint();
    hoverRuler(clamp(toPicture(now)));
    return showLoupe(clamp(toPicture(now)));
  }
}

// Whether the pointer has gone far enough for a drag; from then on where it is.
function begun(now) {
  const apart = Math.hypot(now[0] - gesture.start[0], now[1] - gesture.start[1]);
  if (!gesture.moved && apart < (gesture.type === "touch" ? TAP : 1.5)) return false;
  gesture.moved = true;
  gesture.last = now;
  return true;
}

// Move what is dragged to the pointer; returns whether it is moved.
function carry(now) {
  const [dx, dy] = [now[0] - gesture.last[0], now[1] - gesture.last[1]];
  if (!begun(now)) return false;
  const { landmarks, vertebrae } = store.current.reading, [x, y] = toPicture(now);
  if (gesture.kind === "landmark") {
    moveGrip(landmarks[gesture.landmark], gesture.point, clamp([x + gesture.grip[0], y + gesture.grip[1]]));
    return true;
  }
  const vertebra = vertebrae[gesture.vertebra];
  if (gesture.kind === "point") {
    vertebra.points[gesture.point] = clamp([x + gesture.grip[0], y + gesture.grip[1]]);
    vertebra.visible[gesture.point] = true;
  } else vertebra.points = vertebra.points.map(([px, py]) => [px + dx / view.x, py + dy / view.y]);
  fitBox(vertebra);
  return true;
}

const clamp = ([x, y]) => {
  const [width, height] = store.current.info.size;
  return [Math.min(width, Math.max(0, x)), Math.min(height, Math.max(0, y))];
};

function hover(event, now) {
  if (overlay.adding) {
    overlay.adding.pointer = toPicture(now);
    return place();
  }
  if (tool in KINDS) return hoverRuler(toPicture(now));
  const found = tool === "select" && event.pointerType === "mouse" ? hit(now, REACH.mouse) : null;
  box.dataset.over = found ? (found.point === null ? "body" : "point") : "";
}

function finish(broken = false) {
  const ended = gesture;
  gesture = null;
  overlay.dragging = false;
  hideLoupe();
  if (!ended) return;
  if (ended.kind === "measure" && !broken) {
    addPoint(clamp(toPicture(ended.last)));
    hint();
  }
  if (CHANGING.includes(ended.kind) && ended.moved) {
    remember(ended.before);
    recalculate(); // with the network's intervals again
    emit("points");
  } else if (!broken && !ended.moved) {
    if (ended.kind === "add") addCorner(clamp(toPicture(ended.start)));
    else if (ended.kind === "pan") select(ended.found ? ended.found.vertebra : null, null);
  }
  place();
}

// The picture is left while something of it is dragged: that is a step of its own, and nothing of the next picture.
on("leave", () => {
  if (CHANGING.includes(gesture?.kind) && gesture.moved) remember(gesture.before);
  gesture = null;
  overlay.dragging = false;
  hideLoupe();
});

for (const name of ["pointerup", "pointercancel"]) {
  box.addEventListener(name, (event) => {
    if (!pointers.delete(event.pointerId)) return;
    if (pointers.size === 0) finish(name === "pointercancel");
    else gesture = null; // a finger left of a pinch does not start to drag
  });
}

// A wheel's notch is a slice; a touchpad's many small steps add up to one.
let turned = 0;
function turn(by) {
  turned += by;
  const steps = Math.trunc(turned / 60);
  if (!steps) return;
  turned = 0;
  stepSlice(Math.sign(steps));
}

box.addEventListener("contextmenu", (event) => event.preventDefault());
box.addEventListener("dblclick", (event) => {
  if (!store.current || tool !== "select" || event.target.closest("button, input")) return;
  const found = hit(at(event), REACH.mouse);
  if (found) byId("level").focus();
});
box.addEventListener(
  "wheel",
  (event) => {
    if (!store.current) return;
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 16 : 1;
    // Of a stack the wheel turns the slices, as reading rooms have it; with Ctrl it zooms.
    if (!event.ctrlKey && !byId("slices").hidden) return turn(event.deltaY * unit);
    zoom(Math.exp((-event.deltaY * unit) / (event.ctrlKey ? 120 : 500)), at(event));
  },
  { passive: false },
);
