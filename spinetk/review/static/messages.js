// Messages: one line below the film, never over it. The last one is shown; all of them stay in a list that opens on demand.

import { byId, make, say } from "./dom.js";

const MOST_KEPT = 100;
const NOTE_MS = 8000;
const kept = [];
let fading = null;

// kind: "note" goes by itself, "fault" stays until it is closed or something newer is said.
export function tell(text, { kind = "note" } = {}) {
  kept.unshift({ text, kind, at: new Date() });
  kept.length = Math.min(kept.length, MOST_KEPT);
  clearTimeout(fading);
  // A note does not push a fault away that nobody has closed.
  if (kind === "fault" || !byId("alert").textContent) {
    say(byId(kind === "fault" ? "note" : "alert"), "");
    say(byId(kind === "fault" ? "alert" : "note"), text);
  }
  byId("message-close").hidden = !byId("alert").textContent;
  if (kind === "note") fading = setTimeout(() => say(byId("note"), ""), NOTE_MS);
  renderLog();
}

export function quiet() {
  for (const id of ["note", "alert"]) say(byId(id), "");
  byId("message-close").hidden = true;
}

function renderLog() {
  byId("log-menu").hidden = !kept.length;
  say(byId("log-count"), String(kept.length));
  const time = (at) => at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  byId("log").replaceChildren(...kept.map(({ text, kind, at }) => make("li", { className: `message ${kind}` }, make("time", { textContent: time(at) }), make("span", { textContent: text }))));
}

// Work under way: a line with its progress, and a button that ends it.
export function work(text, { max = 1, stop = null } = {}) {
  const bar = make("progress", { max }), note = make("span", { textContent: text });
  bar.setAttribute("aria-label", text);
  const box = make("div", { className: "work" }, note, bar, ...(stop ? [make("button", { textContent: "Stop", onclick: stop })] : []));
  byId("work").append(box);
  return {
    say: (next) => say(note, next),
    value: (next) => (next === null ? bar.removeAttribute("value") : (bar.value = next)),
    end: () => box.remove(),
  };
}

// What goes on while nobody looks at the line: said, not shown.
export function speak(text) {
  byId("spoken").textContent = text;
}

byId("message-close").onclick = quiet;
