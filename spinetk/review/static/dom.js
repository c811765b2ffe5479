// Small helpers around the document. Text only ever enters through textContent.

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

export function draw(tag, attributes = {}, parent = null) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent?.append(element);
  return element;
}

// What is written again as it was still costs style, layout and paint: while a point is dragged only what changed is.
export function write(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = String(value);
    if (element.getAttribute(name) !== text) element.setAttribute(name, text);
  }
}

// The same for a field.
export function fill(field, value) {
  if (field.value !== value) field.value = value;
}

// The same for text.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function closeMenus(except = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}

// A dialog with a few answers; resolves to the name of the one that was chosen, null when it was left.
export function ask(id, texts = {}) {
  const dialog = byId(id);
  for (const [name, text] of Object.entries(texts)) say(dialog.querySelector(`[data-text="${name}"]`), text);
  dialog.returnValue = "";
  dialog.showModal();
  // Told as soon as it closes: the close event comes later, and a key pressed in between would find the question still open.
  return new Promise((resolve) => {
    const observer = new MutationObserver(() => {
      if (dialog.open) return;
      observer.disconnect();
      resolve(dialog.returnValue || null);
    });
    observer.observe(dialog, { attributes: true, attributeFilter: ["open"] });
  });
}

// A moment of the server's clock, as the reader's own calendar and clock say it.
export function moment(iso) {
  const at = new Date(iso);
  return Number.isNaN(at.getTime()) ? "" : at.toLocaleString([], { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}
