// Loupe: what lies under a point that moves, enlarged in a corner, where neither a finger nor the pointer hides it.

import { byId } from "./dom.js";
import { store } from "./store.js";
import { magnify, toScreen, view } from "./viewer.js";

const SIDE = 148; // CSS px, as in the style sheet
const FACTOR = 3;
const canvas = byId("loupe");
const context = canvas.getContext("2d", { alpha: false });

// point: px of the picture; outline: the vertebra it belongs to, or null.
export function showLoupe(point, outline = null) {
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== SIDE * ratio) canvas.width = canvas.height = Math.round(SIDE * ratio);
  const [x, y] = toScreen(point);
  // In the corner the point is not in; it changes sides only when it has to.
  const near = canvas.dataset.side === "right" ? x > view.width - SIDE - 40 && y < SIDE + 110 : x < SIDE + 40 && y < SIDE + 110;
  if (!canvas.dataset.side) canvas.dataset.side = "left";
  if (near) canvas.dataset.side = canvas.dataset.side === "right" ? "left" : "right";
  canvas.hidden = false;
  const scale = magnify(context, point, SIDE, FACTOR);
  const place = ([px, py]) => [SIDE / 2 + (px - point[0]) * scale[0], SIDE / 2 + (py - point[1]) * scale[1]];
  if (outline) edges(outline, place);
  context.strokeStyle = "#ffffffcc";
  context.lineWidth = 1;
  context.beginPath();
  for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
    context.moveTo(SIDE / 2 + dx * 5, SIDE / 2 + dy * 5);
    context.lineTo(SIDE / 2 + dx * 22, SIDE / 2 + dy * 22);
  }
  context.stroke();
}

function edges({ points, visible }, place) {
  context.strokeStyle = "#7fd6c2";
  context.lineWidth = 1;
  context.beginPath();
  for (const [a, b] of store.current.info.schema.edges) {
    if (!visible[a] || !visible[b]) continue;
    context.moveTo(...place(points[a]));
    context.lineTo(...place(points[b]));
  }
  context.stroke();
}

export function hideLoupe() {
  canvas.hidden = true;
}
