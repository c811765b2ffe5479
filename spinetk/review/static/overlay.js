// Overlay: outlines, points and names as SVG in screen px, so that lines keep their width at any zoom.

import { byId, draw, say, write } from "./dom.js";
import { grips, NAMES } from "./pelvis.js";
import { nameOf, store } from "./store.js";
import { toScreen, view } from "./viewer.js";

const svg = byId("overlay");
const groups = [], pelvis = [];
let ghost = null, bar = null;
export const overlay = { visible: true, colours: new Map(), adding: null, dragging: false };

export function showOutlines(visible) {
  overlay.visible = visible;
  byId("eye").setAttribute("aria-pressed", String(visible));
  place();
}

export function rebuild() {
  svg.replaceChildren();
  groups.length = pelvis.length = 0;
  ghost = null;
  const reading = store.current?.reading;
  if (!reading) return;
  reading.vertebrae.forEach((vertebra, index) => {
    const group = draw("g", { class: "vertebra", "data-index": index }, svg);
    const shadow = draw("path", { class: "shadow" }, group), line = draw("path", { class: "line" }, group);
    const name = draw("text", { class: "name" }, group);
    const points = vertebra.points.map((_, k) => handle(group, k));
    groups.push({ group, shadow, line, name, points });
  });
  reading.landmarks.forEach((landmark, index) => {
    const group = draw("g", { class: "landmark", "data-landmark": index }, svg);
    const shape = draw(landmark.kind === "s1" ? "line" : "ellipse", { class: "line" }, group);
    const points = grips(landmark).map((_, k) => handle(group, k));
    pelvis.push({ group, shape, points, name: draw("text", { class: "name" }, group) });
  });
  ghost = draw("g", { class: "ghost" }, svg);
  bar = draw("g", { class: "scale" }, svg);
  draw("path", {}, bar);
  draw("text", {}, bar);
  place();
}

function handle(group, k) {
  const point = draw("g", { class: "point", "data-point": k }, group);
  draw("circle", { class: "halo", r: 5.5 }, point);
  draw("circle", { class: "ring", r: 4 }, point);
  return point;
}

export function place() {
  const { current, selected } = store;
  write(svg, { viewBox: `0 0 ${view.width} ${view.height}` });
  svg.classList.toggle("off", !overlay.visible);
  if (!current) {
    svg.replaceChildren();
    groups.length = pelvis.length = 0;
    ghost = null;
    return;
  }
  const { vertebrae, landmarks } = current.reading;
  if (!ghost || groups.length !== vertebrae.length || pelvis.length !== landmarks.length) return rebuild();
  const { edges } = current.info.schema;
  vertebrae.forEach((vertebra, index) => {
    const { group, shadow, line, name, points } = groups[index];
    const places = vertebra.points.map(toScreen);
    const seen = edges.filter(([a, b]) => vertebra.visible[a] && vertebra.visible[b]);
    const path = seen.map(([a, b]) => `M${fixed(places[a])}L${fixed(places[b])}`).join("");
    write(shadow, { d: path });
    write(line, { d: path });
    const row = current.shown.rows[index];
    // Where nothing is graded (AP films) grey would say too little, and blue too much.
    const colour = current.shown.graded ? (overlay.colours.get(row?.grade ?? null) ?? "#c8ccd0") : "#7fd6c2";
    if (group.style.getPropertyValue("--colour") !== colour) group.style.setProperty("--colour", colour);
    group.classList.toggle("selected", index === selected.vertebra);
    points.forEach((point, k) => {
      write(point, { transform: `translate(${fixed(places[k])})` });
      const chosen = index === selected.vertebra && k === selected.point;
      point.classList.toggle("chosen", chosen);
      point.classList.toggle("unseen", !vertebra.visible[k]);
      point.classList.toggle("moving", chosen && overlay.dragging);
    });
    const right = Math.max(...places.map((p) => p[0])), middle = places.reduce((sum, p) => sum + p[1], 0) / places.length;
    write(name, { transform: `translate(${fixed([right + 10, middle + 4])})` }); // moved, not laid out again
    say(name, nameOf(vertebra, index, current.shown));
  });
  landmarks.forEach(placeLandmark);
  placeGhost();
  placeBar();
}

function placeLandmark(landmark, index) {
  const { group, shape, points, name } = pelvis[index], { selected } = store;
  const places = grips(landmark).map(toScreen), [[x1, y1], [x2, y2]] = [places[0], places.at(-1)];
  const at = landmark.kind === "s1" ? { x1, y1, x2, y2 } : { cx: x1, cy: y1, rx: (landmark.radius ?? 0) * view.x, ry: (landmark.radius ?? 0) * view.y };
  write(shape, at);
  const own = index === selected.landmark;
  group.classList.toggle("selected", own);
  points.forEach((point, k) => {
    write(point, { transform: `translate(${fixed(places[k])})` });
    const chosen = own && k === selected.point;
    point.classList.toggle("chosen", chosen);
    point.classList.toggle("moving", chosen && overlay.dragging);
  });
  write(name, { transform: `translate(${fixed([Math.max(x1, x2) + 10, y2 + 4])})` });
  say(name, own ? NAMES[landmark.kind] : "");
}

// The vertebra that is being clicked: its corners so far, and a line to the pointer.
function placeGhost() {
  ghost.replaceChildren();
  if (!overlay.adding) return;
  const places = overlay.adding.points.map(toScreen);
  const line = overlay.adding.pointer ? [...places, toScreen(overlay.adding.pointer)] : places;
  draw("polyline", { points: line.map(fixed).join(" ") }, ghost);
  for (const place of places) draw("circle", { cx: place[0], cy: place[1], r: 4 }, ghost);
}

function placeBar() {
  const spacing = store.current.shown.spacing_mm;
  const perUnit = spacing ? view.x / spacing[1] : view.x;
  const longest = Math.min(120, view.width / 5); // clear of the window fields on a telephone
  const power = 10 ** Math.floor(Math.log10(longest / perUnit));
  const length = [5, 2, 1].map((step) => step * power).find((step) => step * perUnit <= longest) ?? power;
  const [x, y, width] = [14, view.height - 14, length * perUnit];
  write(bar.firstChild, { d: `M${x} ${y - 5}v5h${width}v-5` });
  write(bar.lastChild, { x: x + width + 8, y });
  say(bar.lastChild, `${+length.toPrecision(1)} ${spacing ? "mm" : "px"}`);
}

const fixed = ([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`;

// What lies under the pointer: the nearest point within reach, else the body around it.
export function hit(at, reach) {
  const reading = store.current?.reading;
  if (!reading || !overlay.visible) return null;
  let best = null;
  reading.vertebrae.forEach((vertebra, index) =>
    vertebra.points.forEach((point, k) => {
      const [x, y] = toScreen(point);
      // A point of the chosen vertebra wins where two bodies touch.
      const distance = Math.hypot(x - at[0], y - at[1]) - (index === store.selected.vertebra ? 3 : 0);
      if (distance <= reach && (!best || distance < best.distance)) best = { vertebra: index, point: k, distance };
    }),
  );
  reading.landmarks.forEach((landmark, index) =>
    grips(landmark).forEach((point, k) => {
      const [x, y] = toScreen(point), distance = Math.hypot(x - at[0], y - at[1]) - (index === store.selected.landmark ? 3 : 0);
      if (distance <= reach && (!best || distance < best.distance)) best = { vertebra: null, landmark: index, point: k, distance };
    }),
  );
  if (best) return best;
  const index = reading.vertebrae.findIndex((vertebra) => inside(at, hull(vertebra.points.map(toScreen))));
  return index < 0 ? null : { vertebra: index, point: null };
}

function inside([x, y], polygon) {
  let odd = false;
  polygon.forEach(([ax, ay], k) => {
    const [bx, by] = polygon[(k + 1) % polygon.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) odd = !odd;
  });
  return odd;
}

// By angle around the centre: the order of points differs between schemas.
function hull(points) {
  const cx = points.reduce((s, p) => s + p[0], 0) / points.length, cy = points.reduce((s, p) => s + p[1], 0) / points.length;
  return [...points].sort((a, b) => Math.atan2(a[1] - cy, a[0] - cx) - Math.atan2(b[1] - cy, b[0] - cx));
}
