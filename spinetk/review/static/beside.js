// Beside: another film of the same patient, or another reader's reading of this one, next to the film that is read.

import * as api from "./api.js";
import { byId, draw, make, say } from "./dom.js";
import { tell } from "./messages.js";
import { reader } from "./reader.js";
import { settle, takeOver } from "./saving.js";
import { nameOf, on, store, viewRules } from "./store.js";
import { readPicture } from "./viewer.js";

const canvas = byId("beside-canvas"), svg = byId("beside-overlay"), choice = byId("beside-choice");
let shown = null; // {of, title, info, reading, shown, pixels, theirs}; of: what it hangs beside
let choices = [], turn = 0;

export const besideOpen = () => !byId("beside").hidden;

export async function toggleBeside() {
  if (besideOpen()) return close();
  const { current } = store;
  if (!current) return;
  if (!(await offer(current))) return;
  if (!choices.length) return tell("Nothing to hang beside it: no other film of this patient in the list, and no other reading of this one that may be seen.");
  open();
  choose(0);
}

// What can hang beside a picture: films of another view first, since a pair of views is read together. False where the
// picture was left meanwhile.
async function offer(current) {
  const [companions, others] = await Promise.all([api.companions(current.id), api.readers(current.id)]).catch((error) => {
    tell(error.message, { kind: "fault" });
    return [[], []];
  });
  if (store.current !== current) return false;
  const { view } = current.reading;
  const isPair = (one) => Boolean(one.view) && one.view !== view;
  const title = (one) => [one.name, viewRules.get(one.view)?.title, apart(one.days)].filter(Boolean).join(", ");
  const films = [...companions.filter(isPair), ...companions.filter((one) => !isPair(one))];
  choices = [
    ...others.map((theirs) => ({ title: `${theirs.reader}, ${theirs.status}`, theirs, group: "Other readings of this film" })),
    ...films.map((one) => ({ title: title(one), id: one.id, group: `${isPair(one) ? "Another view" : "Same view"}, ${one.days === null ? "no date: by name" : "nearest in time first"}` })),
  ];
  fill();
  return true;
}

// The server says how many days lie between two films, never a date.
function apart(days) {
  if (days === null || days === undefined) return "";
  if (days === 0) return "same day";
  const much = Math.abs(days), [count, unit] = much < 61 ? [much, "day"] : much < 730 ? [Math.round(much / 30.44), "month"] : [+(much / 365.25).toFixed(1), "year"];
  return `${count} ${unit}${count === 1 ? "" : "s"} ${days < 0 ? "earlier" : "later"}`;
}

function fill() {
  const groups = new Map();
  choices.forEach(({ title, group = "" }, k) => {
    if (!groups.has(group)) groups.set(group, group ? make("optgroup", { label: group }) : choice);
    groups.get(group).append(make("option", { value: String(k), textContent: title }));
  });
  choice.replaceChildren(...[...groups.values()].filter((one) => one !== choice), ...choice.querySelectorAll(":scope > option"));
}

function open() {
  byId("beside").hidden = false;
  document.body.classList.add("two-films");
  byId("beside-toggle").setAttribute("aria-pressed", "true");
}

function close() {
  shown = null;
  byId("beside").hidden = true;
  document.body.classList.remove("two-films");
  byId("beside-toggle").setAttribute("aria-pressed", "false");
}

async function choose(number) {
  const wish = choices[number], { current } = store;
  if (!wish || !current) return;
  choice.value = String(number);
  const asked = ++turn;
  try {
    const next = { of: current, title: wish.title, theirs: wish.theirs ?? null };
    if (wish.theirs) Object.assign(next, { info: current.info, pixels: current.pixels }, wish.theirs);
    else {
      const [info, pixels] = await Promise.all([api.entry(wish.id), api.pixels(wish.id)]);
      Object.assign(next, { info, pixels, reading: info.reading, shown: info.shown });
    }
    if (asked !== turn || store.current !== current) return;
    shown = next;
    render();
  } catch (error) {
    tell(error.message, { kind: "fault" });
  }
}

// Another picture is on the page: what hung beside the one before goes at once.
function clear() {
  shown = null;
  turn += 1;
  canvas.width = canvas.height = 0;
  svg.replaceChildren();
  byId("beside-table").hidden = byId("beside-take").hidden = byId("beside-settle").hidden = byId("beside-mine").hidden = true;
}

function render() {
  if (!shown) return;
  const { info, pixels } = shown;
  readPicture(canvas, pixels, info.windows[0].slice(1));
  place();
  compare();
  byId("beside-take").hidden = !shown.theirs;
  byId("beside-settle").hidden = !(shown.theirs && reader.blinded);
  byId("beside-mine").hidden = byId("beside-settle").hidden;
}

// The film fits its pane; outlines are drawn in px of the picture, so that one viewBox places both.
function place() {
  if (!shown) return;
  const [width, height] = shown.info.size, [row, column] = shown.shown.spacing_mm ?? [1, 1];
  const wide = row > column ? 1 : column / row, tall = row > column ? row / column : 1;
  const room = byId("beside-film").getBoundingClientRect();
  const scale = Math.min(room.width / (width * wide), room.height / (height * tall));
  for (const element of [canvas, svg]) {
    element.style.width = `${width * wide * scale}px`;
    element.style.height = `${height * tall * scale}px`;
  }
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.replaceChildren();
  const own = shown.theirs ? store.current.reading.vertebrae : [];
  outline(own, "mine", scale * wide, scale * tall);
  outline(shown.reading.vertebrae, "theirs", scale * wide, scale * tall);
  if (shown.theirs) pelvis(store.current.reading.landmarks, "mine");
  pelvis(shown.reading.landmarks ?? [], "theirs");
}

function pelvis(landmarks, name) {
  if (!landmarks.length) return;
  const group = draw("g", { class: name }, svg);
  for (const { kind, points, radius } of landmarks) {
    if (kind === "s1") draw("path", { d: `M${points[0].join(" ")}L${points[1].join(" ")}` }, group);
    else draw("circle", { cx: points[0][0], cy: points[0][1], r: radius ?? 1 }, group);
  }
}

function outline(vertebrae, name, across, down) {
  const { edges } = shown.info.schema;
  vertebrae.forEach((vertebra, index) => {
    const group = draw("g", { class: name }, svg);
    const seen = edges.filter(([a, b]) => vertebra.visible[a] && vertebra.visible[b]);
    draw("path", { d: seen.map(([a, b]) => `M${vertebra.points[a].join(" ")}L${vertebra.points[b].join(" ")}`).join("") }, group);
    if (name !== "theirs") return;
    const right = Math.max(...vertebra.points.map((p) => p[0])), middle = vertebra.points.reduce((sum, p) => sum + p[1], 0) / vertebra.points.length;
    const text = draw("text", { transform: `translate(${right + 8 / across} ${middle + 4 / down}) scale(${1 / across} ${1 / down})` }, group);
    text.textContent = nameOf(vertebra, index, shown.shown);
  });
}

const number = (text) => (text === "–" || text === undefined ? null : Number(text));

function line(name, there, here, words, unit = "") {
  const change = here - there, cell = (textContent) => make("td", { className: "n", textContent });
  const sign = `${change > 0 ? "+" : ""}${change.toFixed(1).replace("-", "\u2212")}${unit}`;
  const cells = here === null ? ["–", "–", "–"] : [there.toFixed(1) + unit, here.toFixed(1) + unit, sign];
  return make("tr", {}, make("th", { textContent: name, scope: "row" }), ...cells.map(cell), make("td", { className: "wrap", textContent: words }));
}

const became = (was, is) => (was === is ? is : `${was || "–"} → ${is || "–"}`);
const least = (row) => Math.min(...row.heights.map(number).filter((v) => v !== null));

// Level by level: there, here, and the change; then the angles both have. What cannot be compared is said, not guessed.
function compare() {
  const here = store.current.shown, there = shown.shown, notes = [];
  const rows = [...bodies(here, there, notes), ...angles(here, there, notes)];
  byId("beside-table").tBodies[0].replaceChildren(...rows);
  byId("beside-table").hidden = !rows.length && !notes.length;
  const what = `Least height of each body, ${here.unit}${here.angles.length ? ", and angles" : ""}`;
  say(byId("beside-unit"), [what, ...notes].join(". "));
}

// A pixel of one film is not one of another, nor are its bodies known by their place; mm are those of each film's scale.
function bodies(here, there, notes) {
  const same = Boolean(shown.theirs), named = (name) => !name.startsWith("#") || (same && here.rows.length === there.rows.length);
  const sides = [here, there].map((one) => one.spacing_mm), known = sides.every(Boolean);
  const alike = known && sides[0].every((size, k) => Math.abs(size / sides[1][k] - 1) < 0.001);
  const front = (view) => viewRules.get(view)?.front;
  if (!same && front(store.current.reading.view) !== front(shown.reading.view)) {
    notes.push("The films are of two views: heights are not compared");
    return [];
  }
  const comparable = same ? alike || (!sides[0] && !sides[1]) : known;
  if (!comparable) notes.push(same ? "The readings say other pixel sizes: heights are not compared" : "A film has no scale: heights are not compared");
  else if (!same && here.spacing !== there.spacing) notes.push(`Scale there ${there.spacing}, here ${here.spacing}`);
  return here.rows.flatMap((row) => {
    const other = there.rows.find((one) => one.name === row.name);
    if (!other || !named(row.name)) return [];
    const [a, b] = comparable ? [least(row), least(other)] : [null, null];
    const words = became(...[other, row].map((one) => one.deformity.replace(/ \([^)]*%\)/, "")));
    if (comparable ? !Number.isFinite(a) || !Number.isFinite(b) : !words) return [];
    return [line(row.name, b, a, words.includes("→") ? words : row.deformity)];
  });
}

// Without the front lordosis and what hangs on the sacrum have no sign: one that has is no match for one that has none.
function angles(here, there, notes) {
  const bare = (text) => text.replace(/ \?$/, ""); // names that are likely in one reading are compared all the same
  const signed = (one) => one.anterior !== null, matched = signed(here) === signed(there);
  const found = here.angles.flatMap(([name, value, , ends]) => {
    const other = there.angles.find(([own]) => bare(own) === bare(name));
    if (!other) return [];
    if (!matched && !name.startsWith("Cobb")) {
      notes.push("The front of one film is unknown: angles with a sign are not compared");
      return [];
    }
    return [line(bare(name), parseFloat(other[1]), parseFloat(value), became(bare(other[3]), bare(ends)), "°")];
  });
  notes.splice(0, notes.length, ...new Set(notes));
  return found;
}

choice.onchange = () => choose(Number(choice.value));
byId("beside-toggle").onclick = toggleBeside;
byId("beside-close").onclick = close;
// What hangs beside the picture on the page: nothing, as long as the next one is on its way.
const own = () => (shown?.of === store.current ? shown : null);
byId("beside-take").onclick = async () => {
  const of = own()?.of;
  if (!of) return;
  await takeOver(shown.theirs.reading);
  if (store.current === of) tell("It is on the page; undo brings yours back, and nothing is saved yet.");
};
byId("beside-settle").onclick = () => own() && settle(shown.theirs);
byId("beside-mine").onclick = () => own() && settle({ ...shown.theirs, reader: reader.name, reading: store.current.reading });
on("beside", ({ title, theirs }) => {
  choices = [{ title, theirs }];
  fill();
  open();
  choose(0);
});
on("open", async (current) => {
  if (!besideOpen()) return;
  clear();
  if (!(await offer(current))) return; // the one that was opened meanwhile offers its own
  if (!choices.length) return close();
  choose(0);
});
for (const name of ["points", "moved", "shown"]) {
  on(name, () => {
    if (!own()) return;
    if (shown.theirs) place();
    if (name === "shown") compare();
  });
}
new ResizeObserver(() => own() && place()).observe(byId("beside-film"));
