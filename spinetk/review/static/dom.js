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

// Set text only where it changed: cells that stay the same cost nothing while a point is dragged.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function toast(text, { kind = "note", seconds = 5 } = {}) {
  const close = make("button", { className: "plain", textContent: "×", title: "Close" });
  close.setAttribute("aria-label", "Close");
  const box = make("div", { className: `toast ${kind}` }, make("span", { textContent: text }), close);
  close.onclick = () => box.remove();
  byId("toasts").append(box);
  if (kind !== "fault") setTimeout(() => box.remove(), seconds * 1000);
  return box;
}

export function speak(text) {
  byId("spoken").textContent = text;
}

export function closeMenus(except = null) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}
