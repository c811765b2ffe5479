// The page: wires the parts together.

import * as api from "./api.js";
import "./agreement.js";
import "./beside.js";
import { byId, closeMenus, say } from "./dom.js";
import { setTool } from "./gestures.js";
import "./intake.js";
import "./slices.js";
import { fillHelp, toggleOutlines } from "./keys.js";
import { undo } from "./history.js";
import "./lines.js";
import { fillFilters, follow, list, lookThrough } from "./list.js";
import { tell } from "./messages.js";
import { askName, reader, recall } from "./reader.js";
import "./saving.js";
import "./windows.js";
import { place, rebuild } from "./overlay.js";
import { fillChoices, follow as followMoving, render } from "./panel.js";
import { isDirty, leave, on, open, redo, store } from "./store.js";
import { clear, fit, resetWindow, setSpacing, setWindow, show, view, zoom } from "./viewer.js";
import { predictThis, setUp } from "./work.js";

const THEMES = ["", "light", "dark"];
let opening = 0;

async function go(id) {
  const turn = ++opening;
  list.wanted = id;
  document.body.classList.remove("list-open");
  const slow = setTimeout(() => document.body.classList.add("opening"), 150);
  try {
    await open(id);
    byId("fault").hidden = true;
  } catch (error) {
    if (turn !== opening) return;
    store.current = null;
    clear();
    rebuild();
    byId("fault").hidden = false;
    say(byId("fault").querySelector("h2"), "This picture cannot be shown");
    say(byId("fault").querySelector("p"), error.message);
    status();
    render();
  } finally {
    clearTimeout(slow);
    if (turn === opening) document.body.classList.remove("opening");
  }
  if (turn === opening) {
    history.replaceState(null, "", `#${id}`);
    follow(id);
  }
}

function status() {
  const { current } = store;
  const name = list.all.find((one) => one.id === (current?.id ?? list.wanted))?.name;
  say(byId("title"), name ?? "spinetk review");
  byId("title").title = name ?? "";
  const dirty = isDirty();
  say(byId("state"), !current ? "" : dirty ? "unsaved" : current.info.state);
  byId("state").className = `badge ${dirty ? "unsaved" : (current?.info.state ?? "")}`;
  byId("save").disabled = byId("sign").disabled = !current;
  byId("undo").disabled = !current || !(current.past.length || current.began);
  byId("redo").disabled = !current?.future.length;
  byId("welcome").hidden = list.all.length > 0;
}

function letters() {
  const [right, bottom] = store.current?.shown.orientation ?? [null, null];
  const opposite = { L: "R", R: "L", A: "P", P: "A", H: "F", F: "H" };
  say(byId("letter-right"), right ?? "");
  say(byId("letter-left"), opposite[right] ?? "");
  say(byId("letter-bottom"), bottom ?? "");
  say(byId("letter-top"), opposite[bottom] ?? "");
}

function windowFields() {
  const digits = view.high - view.low < 10 ? 2 : 0;
  for (const [id, value] of [["window-width", view.high - view.low], ["window-level", (view.high + view.low) / 2]]) {
    if (document.activeElement !== byId(id)) byId(id).value = value.toFixed(digits);
  }
}

for (const id of ["window-width", "window-level"]) {
  byId(id).onchange = () => {
    const [width, level] = [Number(byId("window-width").value), Number(byId("window-level").value)];
    if (width > 0) setWindow(level - width / 2, level + width / 2);
  };
}

on("open", (current) => {
  setTool("select");
  const { size } = current.info, range = current.info.windows[0].slice(1);
  show(current.pixels, size, range, current.shown.spacing_mm);
  rebuild();
  render();
  letters();
  status();
  say(byId("corner-left"), `${size[0]} × ${size[1]} px${current.info.modality ? `  ·  ${current.info.modality}` : ""}`);
});
on("points", () => {
  rebuild();
  status();
});
on("moved", ({ since }) => {
  place();
  followMoving(since);
});
on("view", place);
on("window", windowFields);
on("select", place);
on("history", status);
on("saved", status);
on("shown", ({ since }) => {
  setSpacing(store.current.shown.spacing_mm);
  render();
  place();
  letters();
  status();
  // From the movement of the pointer to the figures on screen.
  requestAnimationFrame(() => performance.measure("recalculate", { start: since, end: performance.now() }));
});
on("fault", (error) => tell(error.message, { kind: "fault" }));
const drafts = new Map(); // of each reader who sat here
let former = "";
on("reader", async (name) => {
  // Another reader may see other things; what one has not saved stays the page's draft for that one. What was done
  // before anybody said who reads is the first one's who does. A picture on its way was asked for as the former one.
  if (reader.blinded && list.wanted) {
    leave();
    if (former) {
      drafts.set(former, store.drafts);
      store.drafts = drafts.get(name) ?? new Map();
    }
    go(list.wanted);
  }
  former = name;
  try {
    await list.refresh();
  } catch (error) {
    tell(error.message, { kind: "fault" });
  }
});
on("wanted", (wish) => (wish.done ? go(wish.id).then(wish.done) : go(wish)));

byId("none-predict").onclick = (event) => {
  event.stopPropagation(); // a click elsewhere closes the menus
  predictThis();
};
byId("none-add").onclick = () => setTool("add");
byId("previous").onclick = () => list.step(-1);
byId("next").onclick = () => list.step(1);
byId("undo").onclick = undo;
byId("redo").onclick = redo;
byId("fit").onclick = fit;
byId("zoom-in").onclick = () => zoom(1.25);
byId("zoom-out").onclick = () => zoom(0.8);
byId("eye").onclick = toggleOutlines;
byId("window-auto").onclick = resetWindow;
byId("help-button").onclick = () => byId("help").showModal();
byId("list-toggle").onclick = () => document.body.classList.toggle(matchMedia("(max-width: 900px)").matches ? "list-open" : "list-closed");
for (const button of document.querySelectorAll("[data-tool]")) {
  button.onclick = () => {
    setTool(button.dataset.tool);
    closeMenus();
  };
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
byId("theme").onclick = () => theme(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme ?? "") + 1) % THEMES.length]);

function theme(name) {
  document.documentElement.dataset.theme = name;
  try {
    localStorage.setItem("spinetk-theme", name);
  } catch { /* private mode */ }
}

api.onLocked(
  () =>
    new Promise((resolve) => {
      const dialog = byId("login");
      if (!dialog.open) dialog.showModal();
      byId("login-form").onsubmit = async (event) => {
        event.preventDefault();
        try {
          await api.post("api/login", { token: byId("token").value });
          dialog.close();
          resolve();
        } catch (error) {
          say(byId("login-fault"), error.message);
        }
      };
    }),
);

async function start() {
  try {
    theme(localStorage.getItem("spinetk-theme") ?? "");
  } catch { /* private mode */ }
  fillHelp();
  recall();
  former = reader.name;
  const session = await api.session();
  reader.blinded = session.blinded;
  byId("blinded").hidden = !session.blinded;
  if (session.blinded && !reader.name) {
    await askName();
    session.entries = (await api.worklist()).entries;
  }
  fillChoices(session);
  fillFilters(session);
  setUp(session);
  say(byId("research"), session.research_use);
  say(byId("version"), `spinetk ${session.version}. Corrections go to ${session.target}.`);
  byId("version").title = byId("version").textContent; // where it is cut
  const wished = location.hash.slice(1);
  const first = session.entries.find((one) => one.id === wished) ?? session.entries[0];
  const opened = first ? go(first.id) : null; // on its way while the list is laid out
  list.set(session.entries);
  render();
  status();
  await opened;
  performance.mark("ready");
  document.body.classList.add("ready");
  lookThrough();
}

start().catch((error) => tell(error.message, { kind: "fault" }));
