// Work: predict, import and export, with their progress and their faults.

import * as api from "./api.js";
import { byId, closeMenus, make } from "./dom.js";
import { list } from "./list.js";
import { tell, work } from "./messages.js";
import { emit, on, replaceReading, store } from "./store.js";

const POLL_MS = 400;

export async function exportNow(kind, all) {
  closeMenus();
  try {
    const { current } = store;
    const { name, leftOut } = await api.download(all ? { kind } : { kind, id: current.id, reading: current.reading });
    const without = `${leftOut} picture${leftOut === 1 ? " that was read is" : "s that were read are"} not in it: two readers sign, and one says which reading is the truth.`;
    tell(leftOut ? `Downloaded ${name}. ${without}` : `Downloaded ${name}`, { kind: leftOut ? "fault" : "note" });
  } catch (error) {
    tell(`Not exported. ${error.message}`, { kind: "fault" });
  }
}

export async function predict(ids) {
  closeMenus();
  if (!ids.length) return tell("Every picture has vertebrae already.");
  const body = { ids, model: byId("model").value, threshold: Number(byId("threshold").value), view: byId("shows").value };
  const under = work("Loading the model", { max: ids.length, stop: () => api.post("api/prediction/cancel") });
  document.body.classList.add("working");
  try {
    let state = await api.post("api/prediction", body);
    while (state.running) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      state = await api.get("api/prediction");
      under.say(ids.length === 1 ? `Predicting (${state.what === "loading the model" ? state.what : "reading the picture"})` : `Predicting ${Math.min(state.done + 1, state.total)} of ${state.total}`);
      if (state.done) under.value(state.done);
    }
    for (const text of state.failures.slice(0, 4)) tell(text, { kind: "fault" });
    if (state.failures.length > 4) tell(`and ${state.failures.length - 4} more pictures failed`, { kind: "fault" });
    await finished(ids);
  } catch (error) {
    tell(error.message, { kind: "fault" });
  } finally {
    under.end();
    document.body.classList.remove("working");
  }
}

// Points of annotation programs, for pictures that are in the list already.
export async function importPoints(files) {
  if (!files.length) return;
  try {
    const { id } = await api.post("api/uploads");
    for (const file of files) await api.upload(id, file, () => {});
    const { ids, remarks } = await api.post(`api/uploads/${id}/annotations`);
    for (const text of remarks.slice(0, 4)) tell(text, { kind: ids.length ? "note" : "fault" });
    if (remarks.length > 4) tell(`and ${remarks.length - 4} more remarks`);
    if (!ids.length) return;
    tell(`Points of ${ids.length} picture${ids.length === 1 ? "" : "s"} imported; nothing is saved yet`);
    if (!store.current || !ids.includes(store.current.id)) return emit("wanted", ids[0]);
    const { current } = store;
    const info = await api.entry(current.id, "imported");
    if (store.current !== current) return;
    current.info = { ...info, state: current.info.state };
    await replaceReading({ ...info.reading, ...said(current.reading) });
    emit("select", store.selected);
  } catch (error) {
    tell(`Not imported. ${error.message}`, { kind: "fault" });
  }
}

// What was drawn and said of the picture itself stays with other points: rulers, the size of its pixels, its front.
function said({ rulers, spacing_mm, anterior }) {
  return { rulers, ...(spacing_mm && { spacing_mm }), ...(anterior && { anterior }) };
}

async function finished(ids) {
  await list.refresh();
  const { current } = store;
  if (!current || !ids.includes(current.id)) return;
  const before = current.reading.vertebrae.length;
  const info = await api.entry(current.id, "predicted").catch(() => null);
  if (!info || store.current !== current) return;
  current.info = { ...info };
  await replaceReading({ ...info.reading, ...said(current.reading) });
  const count = info.reading.vertebrae.length;
  const text = count ? `${count} vertebrae found by ${info.shown.model}` : "No vertebra was found. Lower the confidence, or add them by hand.";
  tell(before && count ? `${text}; Ctrl+Z brings the former ones back` : text, { kind: count ? "note" : "fault" });
  emit("select", store.selected);
}

export function predictThis() {
  if (store.current) predict([store.current.id]);
}

export function setUp(session) {
  const { models, by_view: byView } = session;
  byId("model").replaceChildren(...models.map((name) => make("option", { value: name, textContent: name === byView ? "the one for this view" : name })));
  for (const id of ["predict-one", "predict-all"]) byId(id).disabled = !models.length;
  byId("predict-one").onclick = predictThis;
  for (const name of ["open", "points"]) on(name, () => (byId("shows").value = store.current.reading.view));
  byId("predict-all").onclick = () => predict(list.all.filter((one) => one.state === "new" || one.state === "nothing found").map((one) => one.id));
  // What can be read and written is the server's to say.
  byId("add-annotations").title = `Points for these pictures from: ${session.imports.join(", ")}`;
  byId("add-annotations").onclick = () => byId("annotations").click();
  byId("annotations").onchange = (event) => {
    importPoints([...event.target.files]);
    event.target.value = "";
  };
  const one = ([name, textContent]) => make("button", { textContent, "data-export": name, onclick: () => store.current && exportNow(name, false) });
  const all = ([name, textContent]) => make("button", { textContent, "data-export-all": name, onclick: () => exportNow(name, true) });
  byId("exports").replaceChildren(...session.exports.one.map(one));
  byId("exports-all").replaceChildren(...session.exports.all.map(all));
}
