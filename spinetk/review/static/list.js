// List: the pictures, only those in sight as rows of the document, so that thousands cost nothing.

import { byId, make, say } from "./dom.js";
import { emit, on, store } from "./store.js";

const box = byId("rows"), inner = byId("rows-inner"), filter = byId("filter");
const ROW = 30; // px, as in the style sheet
const STATES = { saved: "saved", truth: "truth", predicted: "predicted", new: "" };
let entries = [], shownEntries = [];

export const list = {
  set(rows) {
    entries = rows;
    refilter();
  },
  add(rows) {
    entries.push(...rows);
    refilter();
  },
  // A row that takes the place of the one with its id, or follows another.
  put(row, after) {
    const at = entries.findIndex((one) => one.id === row.id);
    if (at >= 0) entries[at] = row;
    else entries.splice(entries.findIndex((one) => one.id === after) + 1, 0, row);
    refilter();
  },
  state(id, state) {
    const found = entries.find((one) => one.id === id);
    if (found) found.state = state;
    render();
  },
  get all() {
    return entries;
  },
  position: (id) => shownEntries.findIndex((one) => one.id === id),
  step(by) {
    if (!shownEntries.length) return;
    const at = list.position(store.current?.id ?? list.wanted);
    const next = shownEntries[Math.min(shownEntries.length - 1, Math.max(0, at + by))];
    if (next && next.id !== store.current?.id) emit("wanted", next.id);
  },
  wanted: null,
};

function refilter() {
  const text = filter.value.trim().toLowerCase();
  shownEntries = text ? entries.filter((one) => one.name.toLowerCase().includes(text)) : entries;
  note();
  inner.style.height = `${shownEntries.length * ROW}px`;
  render();
}

function note() {
  const saved = entries.filter((one) => one.state === "saved").length;
  const some = shownEntries.length === entries.length ? "" : `${shownEntries.length} of `;
  say(byId("list-note"), entries.length ? `${some}${entries.length} picture${entries.length === 1 ? "" : "s"}, ${saved} saved` : "");
}

export function render() {
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
  const count = Math.ceil(box.clientHeight / ROW) + 8;
  const rows = shownEntries.slice(first, first + count).map((one, k) => {
    const dirty = store.drafts.has(one.id);
    const mark = make("span", { className: `mark ${one.state}`, textContent: dirty ? "unsaved" : STATES[one.state] });
    const row = make("div", { className: "row", role: "option", title: one.name }, make("span", { className: "name", textContent: one.name }), mark);
    row.style.top = `${(first + k) * ROW}px`;
    row.dataset.id = one.id;
    row.setAttribute("aria-selected", String(one.id === list.wanted));
    return row;
  });
  inner.replaceChildren(...rows);
  const at = list.position(list.wanted);
  say(byId("position"), shownEntries.length ? `${at + 1} / ${shownEntries.length}` : "–");
  byId("previous").disabled = at <= 0;
  byId("next").disabled = at >= shownEntries.length - 1;
}

export function follow(id) {
  list.wanted = id;
  const at = list.position(id);
  if (at * ROW < box.scrollTop || (at + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = at * ROW - box.clientHeight / 2;
  note();
  render();
}

inner.onclick = (event) => {
  const row = event.target.closest(".row");
  if (row) emit("wanted", row.dataset.id);
};
box.addEventListener("scroll", render, { passive: true });
box.addEventListener("keydown", (event) => {
  const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 }[event.key];
  if (!by) return;
  event.preventDefault();
  event.stopPropagation();
  list.step(by);
});
filter.oninput = refilter;
new ResizeObserver(render).observe(box);
on("saved", ({ id, answer }) => {
  list.state(id, answer.state);
  refilter();
});
