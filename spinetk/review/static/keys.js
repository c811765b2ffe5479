// Keys: everything the mouse can do, and the table of them for the help.

import { byId, make } from "./dom.js";
import { setTool, takeBack, currentTool } from "./gestures.js";
import { undo } from "./history.js";
import { list } from "./list.js";
import { speak } from "./messages.js";
import { overlay, place, showOutlines } from "./overlay.js";
import { choose, chooseLandmark, flipFacing, removeChosen, togglePoint } from "./panel.js";
import { byHand, grips, landmarks, moveGrip, NAMES, pointName } from "./pelvis.js";
import { emit, fitBox, recalculate, redo, remember, select, snapshot, store } from "./store.js";
import { takeBackRuler, KINDS } from "./rulers.js";
import { stepSlice } from "./slices.js";
import { toggleBeside } from "./beside.js";
import { toggleLines } from "./lines.js";
import { windowByNumber } from "./windows.js";
import { dragWindow, fit, invert, pan, resetWindow, view, zoom } from "./viewer.js";

const HELP = [
  ["Look", [["wheel, pinch, + −", "zoom"], ["drag, arrows", "pan"], ["0", "fit"], ["W, or right button", "window tool: drag left-right for width, up-down for level"], ["Alt + arrows", "width and level by keys"], ["R", "first window"], ["1 to 9", "named windows"], ["I", "invert"], ["O", "outlines off and on"], ["G", "lines of the angles off and on"], ["M", "measure: length, angle, Cobb angle; saved with the picture"], ["B", "another film or reader beside it"]]],
  ["Work", [["]  [  or Page Down, Up", "next, previous picture"], ["N", "next unread"], ["wheel, <  >", "slice of a series or volume (Ctrl + wheel zooms)"], ["Ctrl S", "save as truth"], ["Ctrl Enter", "sign, and on to the next unread"], ["H", "history"], ["P", "predict this picture"], ["E", "export"], ["?", "this help"], ["Esc", "leave a tool, deselect"]]],
  ["Correct", [["drag a point", "everything is computed again"], ["Shift + drag a body", "move it whole"], ["J  K", "next, previous vertebra; after the last, S1 and femoral heads"], [".  ,", "next, previous point of it"], ["arrows", "move the chosen point (or vertebra) by 0.5 px, with Shift by 5"], ["X", "point not to be seen"], ["A", "add: click the corners, Backspace, Esc"], ["Del", "delete the vertebra or landmark"], ["L", "level name"], ["F", "flip facing"], ["Ctrl Z, Ctrl Shift Z", "undo, also into earlier sessions; redo"]]],
];

export function fillHelp() {
  byId("keys").replaceChildren(
    ...HELP.map(([title, keys]) => {
      const lines = keys.flatMap(([key, what]) => [make("dt", { textContent: key }), make("dd", { textContent: what })]);
      return make("section", {}, make("h3", { textContent: title }), make("dl", {}, ...lines));
    }),
  );
}

export const toggleOutlines = () => showOutlines(!overlay.visible);

let burst = null; // {timer, of}: presses of an arrow that belong together, and the picture they were for

// Several presses of an arrow are one step of undo.
function nudge(dx, dy) {
  const { current } = store;
  const { vertebra, point, landmark } = store.selected;
  const { vertebrae, landmarks } = current.reading;
  const chosen = landmark === null ? vertebrae[vertebra] : landmarks[landmark];
  if (burst) clearTimeout(burst.timer);
  if (burst?.of !== current) remember(snapshot());
  const over = () => {
    burst = null;
    if (store.current !== current) return; // another picture is on the page by now, or one is on its way
    recalculate();
    emit("points");
  };
  burst = { timer: setTimeout(over, 700), of: current };
  if (point === null) chosen.points = chosen.points.map(([x, y]) => [x + dx, y + dy]);
  else if (landmark !== null) {
    const [x, y] = grips(chosen)[point];
    moveGrip(chosen, point, [x + dx, y + dy]);
  } else chosen.points[point] = [chosen.points[point][0] + dx, chosen.points[point][1] + dy];
  if (landmark === null) fitBox(chosen);
  else byHand(chosen);
  emit("moved", { since: performance.now() });
  recalculate({ live: true }).then(() => {
    if (store.current !== current) return;
    if (landmark !== null) return speak(`${NAMES[chosen.kind]}: ${store.current?.shown.angles.map(([name, value]) => `${name} ${value}`).join(", ")}`);
    const row = store.current?.shown.rows[vertebra];
    if (row) speak(`${row.name}: ${row.heights.join(", ")} ${store.current.shown.unit}`);
  });
}

function arrows(event) {
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (event.altKey) return dragWindow(dx * 12, dy * 12);
  if (store.selected.vertebra === null && store.selected.landmark === null) return pan(-dx * 40, -dy * 40);
  const by = event.shiftKey ? 5 : 0.5;
  nudge(dx * by, dy * by);
}

function walk(by) {
  // The landmarks of the pelvis follow the vertebrae.
  const { vertebrae, landmarks } = store.current.reading, count = vertebrae.length + landmarks.length;
  if (!count) return;
  const { vertebra, landmark } = store.selected;
  const at = landmark === null ? vertebra : vertebrae.length + landmark;
  const next = at === null ? (by > 0 ? 0 : count - 1) : Math.min(count - 1, Math.max(0, at + by));
  if (next >= vertebrae.length) {
    chooseLandmark(next - vertebrae.length);
    return speak(NAMES[landmarks[next - vertebrae.length].kind]);
  }
  choose(next);
  const row = store.current.shown.rows[next];
  if (row) speak(`${row.name}: ${row.heights.join(", ")} ${store.current.shown.unit}, ${row.deformity}`);
}

function walkPoint(by) {
  const { vertebra, point, landmark } = store.selected;
  if (landmark !== null) {
    const chosen = landmarks()[landmark], count = grips(chosen).length;
    const next = point === null ? (by > 0 ? 0 : count - 1) : (point + by + count) % count;
    select(null, next, landmark);
    place();
    return speak(pointName(chosen, next));
  }
  if (vertebra === null) return walk(by);
  const { points } = store.current.info.schema;
  const next = point === null ? (by > 0 ? 0 : points.length - 1) : (point + by + points.length) % points.length;
  select(vertebra, next);
  place();
  speak(points[next].replace("_", " "));
}

const escape = () => {
  if (currentTool() !== "select") setTool("select");
  else if (store.selected.point === null) select(null);
  else select(store.selected.vertebra, null, store.selected.landmark);
  place();
};

const PLAIN = {
  "+": () => zoom(1.25), "=": () => zoom(1.25), "-": () => zoom(0.8), "0": fit, r: resetWindow, i: invert, o: toggleOutlines,
  w: () => setTool(currentTool() === "window" ? "select" : "window"), v: () => setTool("select"),
  a: () => setTool(currentTool() === "add" ? "select" : "add"),
  j: () => walk(1), k: () => walk(-1), ".": () => walkPoint(1), ",": () => walkPoint(-1), x: togglePoint, f: flipFacing,
  l: () => store.selected.vertebra !== null && byId("level").focus(),
  g: toggleLines, b: toggleBeside, h: () => byId("history-button").click(), n: list.nextUnread,
  m: () => setTool({ length: "angle", angle: "cobb", cobb: "select" }[currentTool()] ?? "length"),
  Delete: () => (currentTool() in KINDS ? takeBackRuler() : removeChosen()),
  Backspace: () => takeBack() || (currentTool() in KINDS && takeBackRuler()) || (currentTool() === "select" && removeChosen()), Escape: escape,
  p: () => byId("predict-one").click(), e: () => byId("export-menu").querySelector("summary").click(),
};
const ALWAYS = {
  "[": () => list.step(-1), "]": () => list.step(1), PageUp: () => list.step(-1), PageDown: () => list.step(1),
  "<": () => stepSlice(-1), ">": () => stepSlice(1), "?": () => byId("help").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  let action = null;
  if (command) {
    if (key === "s") action = () => byId("save").click();
    else if (key === "Enter") action = () => byId("sign").click();
    else if (key === "z") action = event.shiftKey ? redo : undo;
    else if (key === "y") action = redo;
    if (action && key !== "s" && key !== "Enter" && event.target.matches("input")) return; // the field's own undo
  } else if (event.target.matches("input, select, textarea")) {
    if (key === "Escape") action = () => byId("viewer").focus();
  } else {
    action = ALWAYS[event.key] ?? null;
    if (!action && store.current) {
      const onButton = event.target.matches("button, summary") && ["Enter", " "].includes(event.key);
      action = onButton ? null : key.startsWith("Arrow") ? () => arrows(event) : (PLAIN[key] ?? (/^[1-9]$/.test(key) ? () => windowByNumber(key) : null));
    }
  }
  if (!action) return;
  event.preventDefault();
  action();
});
