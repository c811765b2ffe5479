// Reader: who sits before the film. The name goes with every request, and stays in this browser.

import * as api from "./api.js";
import { ask, byId, say } from "./dom.js";
import { emit } from "./store.js";

const KEY = "spinetk-reader";
export const reader = { name: "", blinded: false };

function set(name) {
  reader.name = name;
  api.setReader(name);
  say(byId("reader-name"), name || "Reader");
  byId("reader").title = name ? `${name} reads. Change the name` : "Say who reads";
  byId("reader").classList.toggle("nobody", !name);
  try {
    localStorage.setItem(KEY, name);
  } catch { /* private mode */ }
}

export function recall() {
  let name = "";
  try {
    name = localStorage.getItem(KEY) ?? "";
  } catch { /* private mode */ }
  set(name);
}

// Asks for the name; resolves to it, or to the former one when the dialog was left.
export async function askName() {
  const field = byId("reader-field");
  field.value = reader.name;
  const answer = await ask("reader-dialog");
  const name = field.value.trim().replace(/\s+/g, " ");
  if (answer === "ok" && name !== reader.name) {
    set(name);
    emit("reader", name);
  }
  return reader.name;
}

byId("reader").onclick = askName;
