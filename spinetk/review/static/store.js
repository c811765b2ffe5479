// Store: the picture on the page, its points with undo and redo, and the figures the server computed of them.

import * as api from "./api.js";

export const events = new EventTarget();
export const emit = (name, detail) => events.dispatchEvent(new CustomEvent(name, { detail }));
export const on = (name, listener) => events.addEventListener(name, (event) => listener(event.detail));

// current: {id, info, reading, shown, past, future, clean, began, back, pixels}; selection: a vertebra or a landmark of
// the pelvis, and one of its points, or null.
// began: the version on the disk that the reading began from; back: versions of earlier sessions gone back.
export const store = { current: null, selected: { vertebra: null, point: null, landmark: null }, drafts: new Map() };

// What the server says of each view, by its name: {name, title, front, offered}.
export const viewRules = new Map();

const copy = (reading) => structuredClone(reading);
const MOST_STEPS = 500;
let opening = 0;

// Whoever waits for anything must look whether the picture it was about is still the one on the page (`store.current`
// is the same object): readers flip on.

export async function open(id) {
  const turn = ++opening;
  leave();
  const [info, pixels] = await Promise.all([api.entry(id), api.pixels(id)]);
  if (turn !== opening) return; // another was asked for meanwhile
  const kept = store.drafts.get(id);
  const fresh = { id, info, reading: info.reading, shown: info.shown, past: [], future: [], clean: null, began: info.began, back: 0 };
  fresh.clean = JSON.stringify(info.reading);
  store.current = kept ? { ...kept, info } : fresh;
  store.current.pixels = pixels;
  store.drafts.delete(id);
  store.selected = { vertebra: null, point: null, landmark: null };
  emit("open", store.current);
  if (kept) await recalculate();
}

// What is not saved stays in the page's memory while other pictures are looked at.
export function leave() {
  const current = store.current;
  if (!current) return;
  emit("leave", current);
  if (isDirty()) store.drafts.set(current.id, { ...current, pixels: null });
  store.current = null;
}

export function isDirty(current = store.current) {
  return Boolean(current) && JSON.stringify(current.reading) !== current.clean && current.reading.vertebrae.length + current.past.length + current.back > 0;
}

export function select(vertebra, point = null, landmark = null) {
  store.selected = { vertebra, point, landmark };
  emit("select", store.selected);
}

// Remember the state before a change; call it once per gesture.
export function remember(before = copy(store.current.reading)) {
  const { current } = store;
  current.past.push(before);
  if (current.past.length > MOST_STEPS) current.past.shift();
  current.future.length = 0;
  emit("history");
}

export const snapshot = (current = store.current) => copy(current.reading);

export async function change(edit, options = {}) {
  if (!store.current) return;
  remember();
  edit(store.current.reading);
  emit("points");
  return recalculate(options);
}

export async function replaceReading(reading) {
  if (!store.current) return;
  remember();
  store.current.reading = copy(reading);
  select(null);
  emit("points");
  return recalculate();
}

function step(from, to) {
  const { current } = store;
  if (!current || !current[from].length) return;
  const past = current[from].pop();
  current[to].push(copy(current.reading));
  current.reading = past;
  if (store.selected.vertebra >= past.vertebrae.length || store.selected.landmark >= past.landmarks.length) select(null);
  emit("history");
  emit("points");
  recalculate();
}

export const undo = () => step("past", "future");
export const redo = () => step("future", "past");

// The box of a vertebra follows its points.
export function fitBox(vertebra) {
  const seen = vertebra.points.filter((_, k) => vertebra.visible[k]);
  const all = seen.length ? seen : vertebra.points;
  const xs = all.map((p) => p[0]), ys = all.map((p) => p[1]);
  vertebra.box = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  vertebra.score = null; // it is a person's now, not the network's
  vertebra.sigma = null;
}

// The name of a vertebra; "L5 ?" where what the server said of the reading is that its names are likely, but not sure.
export const nameOf = ({ label }, index, shown) => (label ? `${label}${shown?.unsure ? " ?" : ""}` : `#${index + 1}`);

// One request in flight; while it runs only the newest state waits, so that fast drags never queue up.
let running = false, waiting = null, settled = [];

// options: live, while a point moves; sort, put the bodies in order; anchor, {vertebra, label} to name the others from.
export function recalculate(options = {}) {
  // What waited is replaced, but its bodies still have to be sorted and named: of this picture, not of one that was left.
  const of = store.current, { sort, anchor } = { ...(waiting?.of === of ? waiting : null), ...options };
  waiting = { ...options, of, sort, anchor, since: options.since ?? performance.now() };
  if (!running) run();
  return new Promise((resolve) => settled.push(resolve));
}

async function run() {
  running = true;
  while (waiting) {
    const { of: current, since, sort, anchor, live } = waiting;
    // Bodies are counted from the one that is named: where both are asked for, they are put in order first.
    waiting = sort && anchor ? { of: current, anchor, since } : null;
    if (!current || store.current !== current) {
      waiting = null;
      break;
    }
    try {
      // Until the answer comes bodies may be added and removed: it is about these.
      const sent = [...current.reading.vertebrae];
      const place = sort || !anchor ? -1 : sent.indexOf(anchor.vertebra);
      const named = place < 0 ? undefined : `${anchor.label}=${place + 1}`;
      const asked = performance.now();
      const answer = await api.measure(current.id, { reading: current.reading, live, sort, anchor: named });
      if (store.current !== current) continue;
      current.shown = answer.shown;
      if (named) sent.forEach((v, k) => (v.label = answer.labels[k]));
      if (sort && answer.order) reorder(current, answer.order.map((k) => sent[k]));
      if (named || sort) emit("points");
      emit("shown", { since });
      performance.measure("answer", { start: asked, end: performance.now() });
    } catch (error) {
      if (store.current === current) emit("fault", error);
    }
  }
  running = false;
  for (const resolve of settled.splice(0)) resolve();
}

function reorder(current, sorted) {
  const { reading } = current;
  const chosen = reading.vertebrae[store.selected.vertebra];
  const there = sorted.filter((v) => reading.vertebrae.includes(v));
  reading.vertebrae = [...there, ...reading.vertebrae.filter((v) => !sorted.includes(v))];
  if (chosen) select(reading.vertebrae.indexOf(chosen), store.selected.point);
}
