// Saving: correct, sign, and what to do when someone else has saved the same case meanwhile.

import * as api from "./api.js";
import { ask, byId, moment, say } from "./dom.js";
import { askName, reader } from "./reader.js";
import { list } from "./list.js";
import { tell } from "./messages.js";
import { emit, isDirty, replaceReading, snapshot, store } from "./store.js";

let busy = false;

const bodies = (count) => `${count} vertebra${count === 1 ? "" : "e"}`;
const name = (one) => one.reader || "Somebody";

export async function saveNow({ sign = false } = {}) {
  const { current } = store;
  if (!current || busy) return;
  if ((sign || reader.blinded) && !reader.name) {
    if (!(await askName())) return tell("Nothing is saved: say who reads first.", { kind: "fault" });
    if (reader.blinded || store.current !== current) return tell(`You read as ${reader.name} now. Nothing is saved yet: save again.`, { kind: "fault" });
  }
  busy = true;
  document.body.classList.add("saving");
  try {
    const answer = await attempt(current, { sign });
    if (!answer) return;
    tell(`${sign ? "Signed" : "Saved"}: ${answer.case}, ${bodies(answer.vertebrae)}${answer.remarks.length ? `. ${answer.remarks.join(". ")}` : ""}`);
    if (sign && store.current === current) list.nextUnread();
  } catch (error) {
    tell(`Not saved. ${error.message}`, { kind: "fault" });
  } finally {
    busy = false;
    document.body.classList.remove("saving");
  }
}

// Returns the server's answer, or null when the reader chose not to save.
async function attempt(current, wishes) {
  const sent = snapshot(current), before = current.began;
  if (!sent.vertebrae.length && !wishes.empty) {
    const saved = current.began ? "The vertebrae that are saved of it go; they can be brought back from the history." : "It is kept as a picture without any vertebra.";
    if ((await ask("empty-dialog", { what: saved })) !== "ok") return null;
    wishes = { ...wishes, empty: true };
  }
  try {
    const answer = await api.save(current.id, { ...sent, ...wishes, size: current.info.size, began: wishes.began ?? current.began });
    // Where the reader has gone on meanwhile the picture is a draft by now, or on the page again.
    for (const one of [current, store.drafts.get(current.id), store.current]) {
      if (one?.id !== current.id || (one !== current && one.began !== before)) continue;
      Object.assign(one, { clean: JSON.stringify(sent), began: answer.began, info: { ...one.info, ...answer }, back: 0 });
    }
    const draft = store.drafts.get(current.id);
    if (draft && !isDirty(draft)) store.drafts.delete(current.id);
    emit("saved", { id: current.id, answer });
    return answer;
  } catch (error) {
    if (error.status !== 409 || store.current !== current) throw error;
    return conflict(current, error.said.theirs, wishes);
  }
}

async function conflict(current, theirs, wishes) {
  const mine = current.reading.vertebrae.length;
  const what = `${name(theirs)} saved this picture${theirs.when ? ` on ${moment(theirs.when)}` : ""} while it was open here: ${bodies(theirs.reading.vertebrae.length)}; yours has ${mine}. Neither is lost: the other one stays in the history.`;
  const answer = await ask("conflict-dialog", { what });
  if (answer === "mine") return attempt(current, { ...wishes, began: theirs.began });
  if (store.current !== current) return null;
  if (answer === "theirs") {
    current.began = theirs.began;
    await takeOver(theirs.reading);
    current.clean = JSON.stringify(current.reading);
    emit("history");
    tell("Theirs is on the page; undo brings yours back.");
  } else if (answer === "both") emit("beside", { title: `${name(theirs)}, ${moment(theirs.when)}`, theirs });
  return null;
}

// Take over a reading from elsewhere; what was on the page is a step of undo.
export async function takeOver(reading) {
  if (!store.current) return;
  const origin = store.current.reading.origin;
  await replaceReading({ ...reading, origin });
}

// The reading of one of two readers becomes the truth.
export async function settle(theirs) {
  const { current } = store;
  if (!current) return;
  try {
    const sent = theirs ? { ...theirs.reading, origin: "given" } : snapshot();
    await api.save(current.id, { ...sent, settles: true, sign: true, size: current.info.size, began: theirs?.truth ?? current.truth });
    tell(`${theirs ? `${theirs.reader}'s` : "Your"} reading is the truth of this case now.`);
  } catch (error) {
    tell(`Not settled. ${error.message}`, { kind: "fault" });
  }
}

byId("save").onclick = () => saveNow();
byId("sign").onclick = () => saveNow({ sign: true });
window.addEventListener("beforeunload", (event) => {
  if (isDirty() || store.drafts.size) event.preventDefault();
});
