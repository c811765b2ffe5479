// Lines: what the reading's own angles were taken between, drawn by the server's points; fainter than the outlines.

import { byId, draw } from "./dom.js";
import { on, store } from "./store.js";
import { toScreen } from "./viewer.js";

const svg = byId("lines");
let visible = true;

export function placeLines() {
  svg.replaceChildren();
  byId("lines-toggle").hidden = !store.current?.shown.lines?.length;
  if (!store.current || !visible) return;
  let last = -100;
  for (const { key, text, segments } of store.current.shown.lines ?? []) {
    const group = draw("g", { class: `reading-line ${key.split("_")[0]}` }, svg);
    for (const segment of segments) {
      const [[x1, y1], [x2, y2]] = segment.map(toScreen);
      for (const name of ["shadow", "line"]) draw("line", { class: name, x1, y1, x2, y2 }, group);
    }
    if (!text || segments.length < 2) continue;
    // Beside the upper line, each a line of text below the one before.
    const [start, end] = segments[0].map(toScreen), left = start[0] < end[0] ? start : end;
    last = Math.max(left[1] + 4, last + 16);
    const label = draw("text", { x: left[0] - 8, y: last, "text-anchor": "end" }, group);
    label.textContent = text;
    // Where there is no room to the left it stands at the edge of the film.
    if (left[0] - 8 - label.getComputedTextLength() < 6) label.setAttribute("x", 6 + label.getComputedTextLength());
  }
}

export function toggleLines() {
  visible = !visible;
  byId("lines-toggle").setAttribute("aria-pressed", String(visible));
  placeLines();
}

byId("lines-toggle").onclick = toggleLines;
for (const name of ["open", "view", "shown"]) on(name, placeLines);
