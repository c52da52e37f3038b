// Short notes at the bottom: what went wrong and what to do about it.

import { h, icon } from "./dom.js";

const SHOWN_MS = 8000;

export function toast(container, text, hint) {
  const close = () => note.remove();
  const note = h("div", { class: "toast" }, icon("warning"), h("div", null, h("b", null, text), hint && h("p", null, hint)), h("button", { type: "button", class: "tool", "aria-label": "Dismiss", on: { click: close } }, icon("close")));
  container.append(note);
  setTimeout(close, SHOWN_MS);
}
