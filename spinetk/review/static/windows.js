// Windows: the named ones a picture can be looked at with; the first is the one it opens with.

import { byId, closeMenus, make } from "./dom.js";
import { on } from "./store.js";
import { setWindow } from "./viewer.js";

on("open", ({ info }) => {
  const buttons = info.windows.map(([name, low, high], k) => {
    const button = make("button", { onclick: () => choose(low, high) }, make("span", { textContent: name }), make("kbd", { textContent: k < 9 ? String(k + 1) : "" }));
    button.dataset.window = String(k + 1);
    return button;
  });
  byId("windows").replaceChildren(...buttons);
});

function choose(low, high) {
  setWindow(low, high);
  closeMenus();
}

export const windowByNumber = (number) => byId("windows").querySelector(`[data-window="${number}"]`)?.click();
