// Viewer: the picture on a canvas with its window, zoom and pan. Screen = picture * scale + shift, in CSS px.

import { byId } from "./dom.js";
import { emit } from "./store.js";

const SMOOTH_UP_TO = 12; // screen px per picture px; beyond that the pixels themselves are of interest
const MOST_ZOOM = 60;

const canvas = byId("canvas"), box = byId("viewer");
const context = canvas.getContext("2d", { alpha: false });
const picture = document.createElement("canvas");
const lut = new Uint32Array(65536);

export const view = { x: 1, y: 1, left: 0, top: 0, width: 1, height: 1, fitted: true, invert: false, low: 0, high: 1 };
let pixels = null, stored = [1, 1], aspect = [1, 1], first = [0, 1], image = null, painting = false, stale = false;

export const toScreen = ([x, y]) => [x * view.x + view.left, y * view.y + view.top];
export const toPicture = ([x, y]) => [(x - view.left) / view.x, (y - view.top) / view.y];

export function show(given, size, window, spacing) {
  pixels = given;
  stored = size;
  first = window;
  [picture.width, picture.height] = [given.width, given.height];
  image = picture.getContext("2d").createImageData(given.width, given.height);
  setSpacing(spacing, false);
  resetWindow();
  fit();
}

// Oblong pixels are stretched, so that the picture has its proportions in mm.
export function setSpacing(spacing, keep = true) {
  const [row, column] = spacing ?? [1, 1];
  const next = row > column ? [1, row / column] : [column / row, 1];
  if (keep && next[0] === aspect[0] && next[1] === aspect[1]) return;
  aspect = next;
  if (keep) fit();
}

export function clear() {
  pixels = null;
  paint();
}

export function fit() {
  if (!pixels) return;
  // The tools stand above the picture, not on it.
  const [top, margin] = [byId("tools").offsetHeight + 16, 10];
  box.style.setProperty("--under-tools", `${top}px`);
  const room = [Math.max(40, view.width - 2 * margin), Math.max(40, view.height - top - margin)];
  const scale = Math.min(room[0] / (stored[0] * aspect[0]), room[1] / (stored[1] * aspect[1]));
  [view.x, view.y] = [scale * aspect[0], scale * aspect[1]];
  [view.left, view.top] = [(view.width - stored[0] * view.x) / 2, top + (room[1] - stored[1] * view.y) / 2];
  view.fitted = true;
  paint();
}

export function zoom(factor, [x, y] = [view.width / 2, view.height / 2]) {
  if (!pixels) return;
  const least = Math.min(40 / stored[0], 40 / stored[1]);
  const next = Math.min(MOST_ZOOM, Math.max(least, view.x * factor));
  const by = next / view.x;
  [view.x, view.y] = [view.x * by, view.y * by];
  [view.left, view.top] = [x - (x - view.left) * by, y - (y - view.top) * by];
  view.fitted = false;
  paint();
}

export function pan(dx, dy) {
  // A corner of the picture always stays in sight.
  const keep = 60;
  const limit = (at, length, room) => Math.min(room - keep, Math.max(keep - length, at));
  view.left = limit(view.left + dx, stored[0] * view.x, view.width);
  view.top = limit(view.top + dy, stored[1] * view.y, view.height);
  view.fitted = false;
  paint();
}

// Bring a point of the picture into sight, e.g. when a row of the table is chosen.
export function reveal(point) {
  const [x, y] = toScreen(point), margin = 40;
  const dx = x < margin ? margin - x : x > view.width - margin ? view.width - margin - x : 0;
  const dy = y < margin ? margin - y : y > view.height - margin ? view.height - margin - y : 0;
  if (dx || dy) pan(dx, dy);
}

export function setWindow(low, high) {
  if (!pixels) return;
  const least = (pixels.high - pixels.low) / 2000;
  view.low = low;
  view.high = Math.max(high, low + least);
  stale = true;
  emit("window", view);
  paint();
}

export const resetWindow = () => setWindow(...first);

export function dragWindow(dx, dy) {
  // 300 px of drag: the window a factor of e wider, or the level moved by its whole width.
  const width = (view.high - view.low) * Math.exp(dx / 300);
  const level = (view.high + view.low) / 2 + (dy / 300) * (view.high - view.low);
  setWindow(level - width / 2, level + width / 2);
}

export function invert() {
  view.invert = !view.invert;
  stale = true;
  paint();
}

export function paint() {
  if (painting) return;
  painting = true;
  requestAnimationFrame(() => {
    painting = false;
    if (stale && pixels) applyWindow();
    stale = false;
    const ratio = window.devicePixelRatio || 1;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#0b0c0e";
    context.fillRect(0, 0, canvas.width, canvas.height);
    if (pixels) {
      const sx = (view.x * stored[0]) / pixels.width, sy = (view.y * stored[1]) / pixels.height;
      context.setTransform(ratio * sx, 0, 0, ratio * sy, ratio * view.left, ratio * view.top);
      context.imageSmoothingEnabled = view.x < SMOOTH_UP_TO;
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, 0, 0);
    }
    emit("view", view);
  });
}

// Draw the picture around a point, so many times larger than on the screen, into a square of CSS px.
// Returns the CSS px per picture px along x and y.
export function magnify(target, [x, y], side, factor) {
  const ratio = window.devicePixelRatio || 1, scale = [view.x * factor, view.y * factor];
  target.setTransform(ratio, 0, 0, ratio, 0, 0);
  target.fillStyle = "#0b0c0e";
  target.fillRect(0, 0, side, side);
  if (pixels) {
    const sx = (scale[0] * stored[0]) / pixels.width, sy = (scale[1] * stored[1]) / pixels.height;
    target.setTransform(ratio * sx, 0, 0, ratio * sy, ratio * (side / 2 - x * scale[0]), ratio * (side / 2 - y * scale[1]));
    target.imageSmoothingEnabled = scale[0] < SMOOTH_UP_TO;
    target.drawImage(picture, 0, 0);
    target.setTransform(ratio, 0, 0, ratio, 0, 0);
  }
  return scale;
}

function applyWindow() {
  fillLut(lut, pixels, view.low, view.high, view.invert);
  grey(image, pixels);
  picture.getContext("2d").putImageData(image, 0, 0);
}

function fillLut(table, { low, high }, from, to, inverted) {
  const range = high - low;
  const start = ((from - low) / range) * 65535, width = ((to - from) / range) * 65535;
  for (let s = 0; s < 65536; s++) {
    let shade = Math.max(0, Math.min(255, Math.round(((s - start) / width) * 255)));
    if (inverted) shade = 255 - shade;
    table[s] = 0xff000000 | (shade << 16) | (shade << 8) | shade;
  }
}

function grey(target, { samples }, table = lut) {
  const out = new Uint32Array(target.data.buffer);
  for (let k = 0; k < samples.length; k++) out[k] = table[samples[k]];
}

// A whole picture in a window on a canvas of its own, e.g. the one beside.
export function readPicture(target, given, [low, high]) {
  const table = new Uint32Array(65536);
  [target.width, target.height] = [given.width, given.height];
  const own = target.getContext("2d"), data = own.createImageData(given.width, given.height);
  fillLut(table, given, low, high, false);
  grey(data, given, table);
  own.putImageData(data, 0, 0);
}

function resize() {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [box.clientWidth, box.clientHeight];
  if (!width || !height) return;
  const before = [view.width, view.height];
  [view.width, view.height] = [width, height];
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (view.fitted) return fit();
  view.left += (width - before[0]) / 2;
  view.top += (height - before[1]) / 2;
  paint();
}

new ResizeObserver(resize).observe(box);
resize();
