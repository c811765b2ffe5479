// Lines: what the reading's own angles were taken between, drawn by the server's points; fainter than the outlines.

import { byId, draw, say, write } from "./dom.js";
import { on, store } from "./store.js";
import { toScreen } from "./viewer.js";

const svg = byId("lines");
const pen = document.createElement("canvas").getContext("2d");
let visible = true, groups = [], form = "";

export function placeLines() {
  const lines = store.current?.shown.lines ?? [];
  byId("lines-toggle").hidden = !lines.length;
  const drawn = visible ? lines : [];
  const next = drawn.map(({ key, segments }) => `${key} ${segments.length}`).join(";");
  if (next !== form) rebuild(drawn, next);
  let last = -100;
  drawn.forEach(({ text, segments }, k) => {
    const places = segments.map((segment) => segment.map(toScreen));
    places.forEach(([[x1, y1], [x2, y2]], at) => {
      for (const own of groups[k].segments[at]) write(own, { x1, y1, x2, y2 });
    });
    const label = text && places.length > 1 ? text : "";
    say(groups[k].label, label);
    if (!label) return;
    // Beside the upper line, each a line of text below the one before.
    const [start, end] = places[0], left = start[0] < end[0] ? start : end;
    last = Math.max(left[1] + 4, last + 16);
    // Where there is no room to the left it stands at the edge of the film.
    write(groups[k].label, { x: Math.max(left[0] - 8, 6 + wide(label)), y: last });
  });
}

function rebuild(drawn, next) {
  form = next;
  svg.replaceChildren();
  groups = drawn.map(({ key, segments }) => {
    const group = draw("g", { class: `reading-line ${key.split("_")[0]}` }, svg);
    return {
      segments: segments.map(() => ["shadow", "line"].map((name) => draw("line", { class: name }, group))),
      label: draw("text", { "text-anchor": "end" }, group),
    };
  });
}

// px of a text of the style sheet's; asked of the document it would have to be laid out at once.
function wide(text) {
  pen.font = "600 12px system-ui, sans-serif";
  return pen.measureText(text).width;
}

export function toggleLines() {
  visible = !visible;
  byId("lines-toggle").setAttribute("aria-pressed", String(visible));
  placeLines();
}

byId("lines-toggle").onclick = toggleLines;
for (const name of ["open", "view", "shown"]) on(name, placeLines);
