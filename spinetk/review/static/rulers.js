// Rulers: lengths and angles that a reader draws on the film. They are part of the reading, saved with it and undone
// like points; no other figure comes from them. The landmarks of the pelvis are drawn with the same clicks.

import { byId, closeMenus, draw } from "./dom.js";
import { addLandmark } from "./pelvis.js";
import { change, on, store } from "./store.js";
import { toScreen, view } from "./viewer.js";

// How many points each takes, and which of them are joined.
export const KINDS = {
  length: { count: 2, lines: [[0, 1]], asks: ["one end of the length", "its other end"] },
  angle: { count: 3, lines: [[0, 1], [1, 2]], asks: ["a point on one arm", "the vertex", "a point on the other arm"] },
  cobb: { count: 4, lines: [[0, 1], [2, 3]], asks: ["the upper endplate, one end", "its other end", "the lower endplate, one end", "its other end"] },
  s1: { count: 2, lines: [[0, 1]], asks: ["the upper endplate of S1, its left end", "its right end"] },
  femoral_head: { count: 2, lines: [], asks: ["the centre of a femoral head", "a point of its rim"] },
};
const PELVIC = ["s1", "femoral_head"];
const REACH = { mouse: 9, pen: 12, touch: 24 };
const svg = byId("rulers");
let begun = null, pointer = null;

const drawings = () => store.current?.reading.rulers ?? [];

// The length or angle of a drawing, in words, as spinetk.ruler has it. Angles are taken in mm, or by the pixels' shape
// (square: factors along x and y) where only that is known: oblong px would shear them.
export function figure({ kind, points }, spacing, square = [1, 1]) {
  const [across, down] = spacing ? [spacing[1], spacing[0]] : kind === "length" ? [1, 1] : square;
  const vector = (a, b) => [(points[b][0] - points[a][0]) * across, (points[b][1] - points[a][1]) * down];
  if (kind === "length") return `${Math.hypot(...vector(0, 1)).toFixed(1)} ${spacing ? "mm" : "px"}`;
  const [u, v] = kind === "angle" ? [vector(1, 0), vector(1, 2)] : [vector(0, 1), vector(2, 3)];
  const between = (Math.abs(Math.atan2(u[0] * v[1] - u[1] * v[0], u[0] * v[0] + u[1] * v[1])) * 180) / Math.PI;
  // Endplates have no direction: of the two angles between their lines the lesser one.
  return `${(kind === "cobb" ? Math.min(between, 180 - between) : between).toFixed(1)}°`;
}

export function begin(kind) {
  begun = KINDS[kind] ? { kind, points: [] } : null;
  pointer = null;
  placeRulers();
}

export const asks = () => (begun ? `Click ${KINDS[begun.kind].asks[begun.points.length]}. Esc ends.` : "");

export function addPoint(point) {
  if (!begun) return;
  begun.points.push(point);
  if (begun.points.length === KINDS[begun.kind].count) {
    const made = begun;
    begun = { kind: begun.kind, points: [] };
    if (PELVIC.includes(made.kind)) addLandmark(made.kind, made.points);
    else change((reading) => reading.rulers.push(made));
  }
  placeRulers();
}

export function hover(point) {
  pointer = point;
  placeRulers();
}

// Take the last point back, or the last drawing; returns whether there was one.
export function takeBackRuler() {
  if (begun?.points.length) begun.points.pop();
  else if (drawings().length && !PELVIC.includes(begun?.kind)) change((reading) => reading.rulers.pop());
  else return false;
  placeRulers();
  return true;
}

export function clearRulers() {
  if (drawings().length) change((reading) => (reading.rulers = []));
}

// The end of a drawing under the pointer: {drawing, point}, or null.
export function hitRuler(at, type) {
  for (const drawing of drawings()) {
    const point = drawing.points.findIndex((one) => Math.hypot(...toScreen(one).map((v, k) => v - at[k])) <= (REACH[type] ?? 9));
    if (point >= 0) return { drawing, point };
  }
  return null;
}

export function placeRulers() {
  svg.replaceChildren();
  if (!store.current) return;
  for (const drawing of drawings()) paint(drawing, true);
  if (begun?.points.length) paint({ ...begun, points: pointer ? [...begun.points, pointer] : begun.points }, false);
  byId("rulers-clear").disabled = !drawings().length;
}

function paint(drawing, whole) {
  const places = drawing.points.map(toScreen), group = draw("g", { class: "ruler" }, svg);
  const { lines, count } = KINDS[drawing.kind];
  if (drawing.kind === "femoral_head" && places[1]) {
    const [[ax, ay], [bx, by]] = drawing.points, radius = Math.hypot(bx - ax, by - ay);
    draw("ellipse", { class: "line", cx: places[0][0], cy: places[0][1], rx: radius * view.x, ry: radius * view.y }, group);
  }
  for (const [a, b] of lines) {
    if (!places[a] || !places[b]) continue;
    const ends = { x1: places[a][0], y1: places[a][1], x2: places[b][0], y2: places[b][1] };
    draw("line", { class: "shadow", ...ends }, group);
    draw("line", { class: "line", ...ends }, group);
  }
  for (const [cx, cy] of places) draw("circle", { cx, cy, r: whole ? 3.5 : 3 }, group);
  if (places.length < count || PELVIC.includes(drawing.kind)) return;
  const at = drawing.kind === "angle" ? places[1] : places.reduce((sum, p) => [sum[0] + p[0] / count, sum[1] + p[1] / count], [0, 0]);
  draw("text", { x: at[0] + 9, y: at[1] - 7 }, group).textContent = figure(drawing, store.current.shown.spacing_mm, store.current.shown.square);
}

byId("rulers-clear").onclick = () => {
  clearRulers();
  closeMenus();
};
on("open", () => begin(null));
on("view", placeRulers);
for (const name of ["shown", "points"]) on(name, placeRulers);
