// List: the worklist, only those rows in sight as part of the document, so that thousands cost nothing.

import * as api from "./api.js";
import { byId, make, say } from "./dom.js";
import { tell } from "./messages.js";
import { arrange, FILTERS, SORTS, STATES, unread } from "./order.js";
import { overlay } from "./overlay.js";
import { emit, on, store, viewRules } from "./store.js";

const box = byId("rows"), inner = byId("rows-inner");
const ROW = 44; // px, as in the style sheet
const SOONEST_MS = 150, LATEST_MS = 1500;
let entries = [], shownEntries = [], changes = 0;

const wishes = () => ({ text: byId("filter").value, filter: byId("filter-state").value, view: byId("filter-view").value, sort: byId("sort").value });

export const list = {
  set(rows) {
    entries = rows;
    refilter();
  },
  add(rows) {
    changes += 1;
    entries.push(...rows);
    refilter();
  },
  // What the server says of all; asked again where the page itself has learnt something meanwhile. Returns whether
  // the server still looks through the files.
  async refresh(ask = api.worklist) {
    for (;;) {
      const before = changes, { entries: rows, scanning } = await ask();
      if (changes === before) {
        list.set(rows);
        return scanning;
      }
      ask = api.worklist;
    }
  },
  // A row that takes the place of the one with its id, or follows another.
  put(row, after) {
    changes += 1;
    const at = entries.findIndex((one) => one.id === row.id);
    if (at >= 0) entries[at] = row;
    else entries.splice(entries.findIndex((one) => one.id === after) + 1, 0, row);
    refilter();
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
  // The next one that is not read yet, after the one on the page and then from the top.
  nextUnread() {
    const at = list.position(store.current?.id ?? list.wanted);
    const others = [...shownEntries.slice(at + 1), ...shownEntries.slice(0, Math.max(at, 0))];
    const next = others.find(unread);
    if (next) emit("wanted", next.id);
    else tell(entries.some(unread) && shownEntries.length < entries.length ? "All of those shown are read; the filter hides the others." : "All pictures are read.");
  },
  wanted: null,
};

function refilter() {
  shownEntries = arrange(entries, wishes());
  // What is on the page stays in the list until another is opened, although its new status may not pass the filter.
  const open = entries.find((one) => one.id === list.wanted);
  if (open && !wishes().text && list.position(open.id) < 0) shownEntries = arrange(entries, { ...wishes(), filter: "all" }).filter((one) => one === open || shownEntries.includes(one));
  note();
  inner.style.height = `${shownEntries.length * ROW}px`;
  render();
}

function note() {
  const left = entries.filter(unread).length;
  const some = shownEntries.length === entries.length ? "" : `${shownEntries.length} of `;
  say(byId("list-note"), entries.length ? `${some}${entries.length} picture${entries.length === 1 ? "" : "s"}, ${left} unread` : "");
  byId("next-unread").disabled = !left;
}

function second(one) {
  const parts = [store.drafts.has(one.id) ? "unsaved" : (STATES[one.state] ?? "…")];
  if (one.reader) parts.push(one.reader);
  const title = viewRules.get(one.view)?.title;
  if (title && one.view !== "unknown") parts.push(title);
  if (one.score !== null) parts.push(`least score ${one.score.toFixed(2)}`);
  return parts.join(" · ");
}

function line(one, at) {
  const mark = make("span", { className: "mark", textContent: second(one) });
  const grade = make("span", { className: "dot", title: one.grade === null ? "" : `highest grade ${one.grade}` });
  grade.style.background = one.grade ? overlay.colours.get(one.grade) : "";
  const row = make("div", { className: `row ${unread(one) ? "unread" : one.state}`, role: "option", title: one.name, id: `row-${one.id}` }, grade, make("span", { className: "name", textContent: one.name }), mark);
  row.style.top = `${at * ROW}px`;
  row.dataset.id = one.id;
  row.setAttribute("aria-selected", String(one.id === list.wanted));
  row.setAttribute("aria-setsize", String(shownEntries.length));
  row.setAttribute("aria-posinset", String(at + 1));
  return row;
}

export function render() {
  const first = Math.max(0, Math.floor(box.scrollTop / ROW) - 4);
  const count = Math.ceil(box.clientHeight / ROW) + 8;
  inner.replaceChildren(...shownEntries.slice(first, first + count).map((one, k) => line(one, first + k)));
  const at = list.position(list.wanted);
  if (byId(`row-${list.wanted}`)) box.setAttribute("aria-activedescendant", `row-${list.wanted}`);
  else box.removeAttribute("aria-activedescendant");
  say(byId("position"), shownEntries.length ? `${at + 1} / ${shownEntries.length}` : "–");
  byId("previous").disabled = at <= 0;
  byId("next").disabled = at >= shownEntries.length - 1;
}

export function follow(id) {
  list.wanted = id;
  refilter();
  const at = list.position(id);
  if (at * ROW < box.scrollTop || (at + 1) * ROW > box.scrollTop + box.clientHeight) box.scrollTop = at * ROW - box.clientHeight / 2;
  render();
}

// The server looks at a large folder's files in the background, once the first picture is shown: what it has found
// meanwhile is asked for again.
export async function lookThrough() {
  for (let ask = api.lookThrough, wait = SOONEST_MS; await list.refresh(ask).catch(() => false); ask = api.worklist) {
    await new Promise((done) => setTimeout(done, wait));
    wait = Math.min(2 * wait, LATEST_MS);
  }
}

export function fillFilters({ views }) {
  const options = (table) => Object.entries(table).map(([value, [title]]) => make("option", { value, textContent: title }));
  byId("filter-state").replaceChildren(...options(FILTERS));
  byId("sort").replaceChildren(...options(SORTS));
  byId("filter-view").replaceChildren(make("option", { value: "", textContent: "Any view" }), ...views.filter(({ name }) => name !== "unknown").map(({ name, title }) => make("option", { value: name, textContent: title })));
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
byId("filter").oninput = refilter;
for (const id of ["filter-state", "filter-view", "sort"]) byId(id).onchange = refilter;
byId("next-unread").onclick = list.nextUnread;
new ResizeObserver(render).observe(box);
on("saved", ({ id, answer }) => {
  const { name, state, vertebrae, grade, score, view, reader, when } = answer;
  list.put({ id, name, state, vertebrae, grade, score, view, reader, when }, id);
});
