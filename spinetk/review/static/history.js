// History: who saved what and when, and the way back to any of it, also over sessions.

import * as api from "./api.js";
import { byId, make, moment, say } from "./dom.js";
import { tell } from "./messages.js";
import { takeOver } from "./saving.js";
import { emit, on, recalculate, remember, select, store, undo as undoHere } from "./store.js";

let goingBack = null;
const WORDS = { given: "as it was given", corrected: "corrected", signed: "signed" };

export async function showHistory() {
  const { current } = store;
  if (!current) return;
  try {
    const versions = await api.history(current.id);
    if (store.current !== current) return;
    const rows = versions.map((one, k) => {
      const back = make("button", { textContent: k ? "Bring back" : "Show", onclick: () => bring(current, one.number) });
      const who = one.reader || (one.number ? "nobody named" : "");
      return make("tr", {}, make("th", { textContent: WORDS[one.status] ?? one.status, scope: "row" }), make("td", { textContent: who }), make("td", { textContent: moment(one.when) }), make("td", { className: "n", textContent: one.vertebrae }), make("td", { className: "changes", textContent: one.changes.join(", ") }), make("td", {}, back));
    });
    byId("versions").tBodies[0].replaceChildren(...rows);
    byId("versions").hidden = !rows.length;
    say(byId("no-versions"), rows.length ? "" : "Nothing has been saved of this picture yet.");
    byId("history-dialog").showModal();
  } catch (error) {
    tell(error.message, { kind: "fault" });
  }
}

async function bring(current, number) {
  byId("history-dialog").close();
  try {
    const { reading } = await api.version(current.id, number);
    if (store.current !== current) return;
    await takeOver(reading);
    tell("It is on the page again; save it to keep it.");
  } catch (error) {
    tell(error.message, { kind: "fault" });
  }
}

// Undo goes on where the page's own steps end: into what was saved in earlier sessions.
export async function undo() {
  const { current } = store;
  if (!current || current.past.length) return undoHere();
  if (goingBack === current) return; // one step at a time
  goingBack = current;
  try {
    const versions = await api.history(current.id);
    const at = versions.findIndex((one) => one.version && one.version === current.began);
    const next = versions[Math.max(at, 0) + (current.back ?? 0) + 1];
    if (!next || store.current !== current) return tell("There is no earlier version.");
    const { reading } = await api.version(current.id, next.number);
    if (store.current !== current || current.past.length) return;
    const future = [...current.future, structuredClone(current.reading)];
    remember();
    current.past.length = 0;
    current.future.push(...future);
    current.back = (current.back ?? 0) + 1;
    current.reading = { ...reading, origin: current.reading.origin };
    select(null);
    emit("points");
    emit("history");
    await recalculate();
    if (store.current === current) tell(`Back to what ${next.reader || "was there"} ${next.reader ? WORDS[next.status] : "before"}${next.when ? `, ${moment(next.when)}` : ""}`);
  } catch (error) {
    tell(error.message, { kind: "fault" });
  } finally {
    goingBack = null;
  }
}

on("open", () => said());
on("saved", () => said());

function said() {
  const info = store.current?.info;
  if (!info) return; // saved, and left meanwhile
  const text = info.when ? `${info.state === "signed" ? "Signed" : "Saved"}${info.reader ? ` by ${info.reader}` : ""}, ${moment(info.when)}` : "Not saved yet";
  say(byId("last-save"), text);
}

byId("history-button").onclick = showHistory;
