// A small menu beside the button that opened it; arrow keys, Escape, a press elsewhere.

import { h } from "./dom.js";

/** entries: {label, description?, choose} */
export function openMenu(button, entries) {
  if (button.getAttribute("aria-expanded") === "true") return;
  const menu = h("div", { class: "menu", role: "menu" });
  const close = (refocus = true) => {
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (refocus) button.focus();
  };
  const outside = (event) => {
    if (!menu.contains(event.target)) close(false);
  };
  const items = entries.map((entry) =>
    h(
      "button",
      {
        type: "button",
        role: "menuitem",
        class: "menu-item",
        on: {
          click: () => {
            close();
            entry.choose();
          },
        },
      },
      entry.label,
      entry.description && h("span", { class: "menu-description" }, entry.description),
    ),
  );
  menu.append(...items);
  menu.addEventListener("keydown", (event) => {
    const at = items.indexOf(document.activeElement);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (next !== undefined) {
      event.preventDefault();
      items[(next + items.length) % items.length].focus();
    }
  });
  (button.closest("dialog") ?? document.body).append(menu);
  place(menu, button);
  button.setAttribute("aria-expanded", "true");
  document.addEventListener("pointerdown", outside, true);
  items[0]?.focus({ preventScroll: true });
}

function place(menu, button) {
  const anchor = button.getBoundingClientRect();
  const below = window.innerHeight - anchor.bottom > menu.offsetHeight + 12;
  const top = below ? anchor.bottom + 4 : Math.max(8, anchor.top - menu.offsetHeight - 4);
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${Math.max(8, Math.min(anchor.left, window.innerWidth - menu.offsetWidth - 8))}px`);
}
