// Panel: the figures beside the picture. Cells are written in place, only where a figure changed.

import { byId, fill, make, say } from "./dom.js";
import { heights } from "./heights.js";
import { grips, landmarks, NAMES, pointName } from "./pelvis.js";
import { change, nameOf, on, recalculate, remember, select, store, viewRules } from "./store.js";
import { overlay } from "./overlay.js";
import { reveal } from "./viewer.js";

const table = byId("table"), head = table.tHead, body = table.tBodies[0];
let shape = "";

export function fillChoices({ levels, views, grades }) {
  byId("level").replaceChildren(make("option", { value: "", textContent: "no name" }), ...levels.map((level) => make("option", { value: level, textContent: level })));
  for (const rules of views) viewRules.set(rules.name, rules);
  const options = () => views.map(({ name, title }) => make("option", { value: name, textContent: title }));
  byId("view").replaceChildren(...options());
  byId("shows").replaceChildren(...options());
  byId("shows").querySelector('[value="unknown"]').textContent = "what it looks like";
  for (const [grade, , colour] of grades) overlay.colours.set(grade, colour);
  const legend = grades.map(([grade, name]) => {
    const chip = make("span", { className: "chip" });
    chip.style.background = overlay.colours.get(grade);
    return make("span", { className: "grade" }, chip, name);
  });
  byId("legend").replaceChildren(...legend);
}

export function render() {
  const { current } = store;
  for (const id of ["facts", "angles-section", "remarks-section", "legend", "saves"]) byId(id).hidden = !current;
  byId("none").hidden = !current || current.reading.vertebrae.length > 0;
  table.hidden = !current || !current.reading.vertebrae.length;
  if (!current) return detail();
  const { shown } = current;
  facts(current, shown);
  rows(shown);
  angles(shown);
  byId("angles-section").hidden = !shown.angles.length;
  const remarks = byId("remarks");
  const text = shown.remarks.join("\n");
  if (remarks.dataset.text !== text) {
    remarks.dataset.text = text;
    remarks.replaceChildren(...shown.remarks.map((textContent) => make("li", { textContent })));
  }
  byId("remarks-section").hidden = !shown.remarks.length;
  byId("legend").hidden = !shown.graded;
  byId("spans-note").hidden = !shown.rows.some((one) => one.spans.some(Boolean)) && !shown.angles.some(([, , span]) => span);
  detail();
}

function angles(shown) {
  const own = byId("angles").tBodies[0];
  if (own.rows.length !== shown.angles.length) {
    own.replaceChildren(...shown.angles.map(() => make("tr", {}, make("th", { scope: "row" }), make("td", { className: "n" }), make("td", { className: "span" }), make("td", { className: "faint" }))));
  }
  shown.angles.forEach((texts, k) => texts.forEach((text, at) => say(own.rows[k].cells[at], text)));
}

function facts(current, shown) {
  fill(byId("view"), current.reading.view);
  const facing = byId("facing");
  const side = shown.anterior;
  say(facing, side === "left" ? "◀ left" : side === "right" ? "right ▶" : "unknown");
  const { front } = viewRules.get(current.reading.view);
  byId("facing-fact").hidden = !front;
  byId("panel").classList.toggle("frontless", !front);
  for (const element of document.querySelectorAll(".pelvic")) element.hidden = !viewRules.get(current.reading.view).pelvic;
  const spacing = byId("spacing");
  if (document.activeElement !== spacing) {
    const values = shown.spacing_mm?.map((v) => String(+v.toPrecision(4))) ?? [];
    fill(spacing, values[0] === values[1] ? (values[0] ?? "") : values.join(", "));
  }
  say(byId("spacing-source"), shown.spacing_mm ? shown.spacing.replace(/^[^(]*?mm(?: high, \S+ mm wide)? /, "mm ") : "mm; unknown, so lengths are in px");
}

function rows(shown) {
  const columns = ["", ...shown.sides.map((side) => `${side} ${shown.unit}`), ...(shown.graded ? ["deformity"] : [])];
  const next = `${columns}|${shown.rows.length}`;
  if (next !== shape) {
    shape = next;
    head.replaceChildren(make("tr", {}, ...columns.map((title, k) => heading(title, k, columns.length, shown))));
    body.replaceChildren(...shown.rows.map((_, index) => row(index, columns.length)));
  }
  const moving = overlay.dragging ? store.selected.vertebra : null;
  shown.rows.forEach((figures, index) => {
    const cells = body.rows[index].cells;
    say(cells[0].firstChild, figures.level);
    say(cells[0].lastChild, figures.score === null ? "" : figures.score.toFixed(2));
    figures.heights.forEach((height, k) => {
      if (index !== moving) say(cells[k + 1].firstChild, height); // the moving one is ahead of this answer
      say(cells[k + 1].lastChild, figures.spans[k]);
    });
    if (shown.graded) {
      const cell = cells[cells.length - 1];
      const colour = overlay.colours.get(figures.grade);
      if (cell.firstChild.style.background !== colour) cell.firstChild.style.background = colour;
      say(cell.lastChild, figures.deformity);
      cell.classList.toggle("grave", (figures.grade ?? 0) > 0);
    }
    body.rows[index].classList.toggle("selected", index === store.selected.vertebra);
  });
}

// The heights of the vertebra that moves, at once.
export function follow(since) {
  const { current, selected } = store;
  const cells = body.rows[selected.vertebra]?.cells;
  if (!cells) return;
  const { points, visible } = current.reading.vertebrae[selected.vertebra];
  const found = heights(points, visible, current.info.schema.columns, current.shown.spacing_mm);
  current.shown.columns.forEach((name, k) => say(cells[k + 1].firstChild, found[name] == null ? "–" : found[name].toFixed(1)));
  detail();
  requestAnimationFrame(() => performance.measure("heights", { start: since, end: performance.now() }));
}

function heading(title, k, count, shown) {
  const [side, unit] = k > 0 && k <= shown.sides.length ? [shown.sides[k - 1], shown.unit] : [title, ""];
  return make("th", { className: unit ? "n" : "", scope: "col" }, side, ...(unit ? [make("small", { textContent: ` ${unit}` })] : []));
}

function row(index, count) {
  const line = make("tr", { tabIndex: -1 });
  // Below each figure its 95 % interval, below the name how sure the network was: where there are any.
  for (let k = 0; k < count; k++) line.append(make(k ? "td" : "th", { className: k ? "n" : "" }, make("span"), make("small")));
  line.cells[0].scope = "row";
  if (store.current.shown.graded) {
    const last = line.lastChild;
    last.className = "deformity";
    last.replaceChildren(make("span", { className: "chip" }), make("span"));
  }
  line.onclick = () => choose(index);
  return line;
}

export function choose(index, point = null) {
  const vertebra = store.current?.reading.vertebrae[index];
  if (!vertebra) return;
  select(index, point);
  const [x0, y0, x1, y1] = vertebra.box;
  reveal([(x0 + x1) / 2, (y0 + y1) / 2]);
  byId("viewer").focus({ preventScroll: true }); // so that the arrows move what was chosen
}

export function chooseLandmark(index, point = null) {
  const landmark = landmarks()[index];
  if (!landmark) return;
  select(null, point, index);
  reveal(landmark.points[0]);
  byId("viewer").focus({ preventScroll: true });
}

export function detail() {
  const { current, selected } = store;
  const vertebra = current?.reading.vertebrae[selected.vertebra], landmark = landmarks()[selected.landmark];
  byId("detail").hidden = !vertebra && !landmark;
  byId("detail").classList.toggle("of-landmark", Boolean(landmark));
  if (landmark) landmarkDetail(landmark, selected.point);
  [...body.rows].forEach((line, k) => line.classList.toggle("selected", k === selected.vertebra));
  if (!vertebra) return;
  const figures = current.shown.rows[selected.vertebra];
  say(byId("detail-name"), nameOf(vertebra, selected.vertebra, current.shown));
  say(byId("delete"), "Delete vertebra");
  const name = selected.point === null ? "" : current.info.schema.points[selected.point].replace("_", " ");
  const place = selected.point === null ? "" : vertebra.points[selected.point].map((v) => v.toFixed(1)).join(", ");
  say(byId("detail-point"), name && `${name} at ${place} px`);
  fill(byId("level"), vertebra.label ?? "");
  byId("number").disabled = !vertebra.label;
  const hide = byId("hide-point");
  hide.disabled = selected.point === null;
  say(hide, selected.point !== null && !vertebra.visible[selected.point] ? "Point visible" : "Point not visible");
  if (!figures) return;
  const parts = Object.entries(figures.ratios).map(([key, value]) => `${key} ${value.toFixed(2)}`);
  if (figures.tilt !== null) parts.push(`tilt ${figures.tilt.toFixed(1)}°`);
  if (vertebra.score !== null) parts.push(`confidence ${vertebra.score.toFixed(2)}`);
  say(byId("detail-figures"), parts.join("  ·  "));
  const notes = byId("detail-notes"), text = figures.notes.join("\n");
  if (notes.dataset.text !== text) {
    notes.dataset.text = text;
    notes.replaceChildren(...figures.notes.map((textContent) => make("li", { textContent })));
  }
}

function landmarkDetail(landmark, point) {
  say(byId("detail-name"), NAMES[landmark.kind]);
  say(byId("delete"), "Delete landmark");
  const place = grips(landmark)[point];
  say(byId("detail-point"), place ? `${pointName(landmark, point)} at ${place.map((v) => v.toFixed(1)).join(", ")} px` : "");
  say(byId("detail-figures"), landmark.score === null ? "" : `confidence ${landmark.score.toFixed(2)}`);
}

// Edits that the panel and the keys share.

export function removeChosen() {
  const { landmark } = store.selected;
  if (landmark === null) return removeVertebra();
  select(null);
  change((reading) => reading.landmarks.splice(landmark, 1));
}

function removeVertebra() {
  const { vertebra } = store.selected;
  if (vertebra === null || !store.current) return;
  const left = store.current.reading.vertebrae.length - 1;
  select(null);
  change((reading) => reading.vertebrae.splice(vertebra, 1));
  if (left > 0) select(Math.min(vertebra, left - 1));
}

export function togglePoint() {
  const { vertebra, point } = store.selected;
  if (point === null || vertebra === null) return;
  change((reading) => {
    const chosen = reading.vertebrae[vertebra];
    chosen.visible[point] = !chosen.visible[point];
  });
}

export function flipFacing() {
  const { current } = store;
  if (!current || !viewRules.get(current.reading.view).front) return;
  change((reading) => (reading.anterior = current.shown.anterior === "right" ? "left" : "right"));
}

byId("level").onchange = (event) => {
  const label = event.target.value || null;
  change((reading) => (reading.vertebrae[store.selected.vertebra].label = label));
};
byId("number").onclick = () => {
  if (!store.current) return;
  const vertebra = store.current.reading.vertebrae[store.selected.vertebra];
  remember();
  store.current.reading.named = true; // also where no name changes: likely ones are confirmed by it
  recalculate({ anchor: { vertebra, label: vertebra.label } });
};
byId("view").onchange = (event) => change((reading) => (reading.view = event.target.value));
byId("facing").onclick = flipFacing;
byId("delete").onclick = removeChosen;
byId("hide-point").onclick = togglePoint;
byId("spacing").onchange = (event) => {
  const values = event.target.value.split(/[,;×x ]+/).filter(Boolean).map(Number);
  const good = values.length >= 1 && values.length <= 2 && values.every((v) => v >= 0.005 && v <= 20);
  event.target.setCustomValidity(good ? "" : "one or two numbers in mm, for example 0.3 or 0.3, 0.25");
  if (!event.target.reportValidity()) return;
  change((reading) => (reading.spacing_mm = [values[0], values[values.length - 1]]));
};
on("select", ({ vertebra }) => {
  detail();
  if (vertebra !== null) body.rows[vertebra]?.scrollIntoView({ block: "nearest" });
});
