// Building the page: elements and text nodes only. Nothing here or elsewhere parses a string as HTML,
// so a message can never become markup.

const SVG = "http://www.w3.org/2000/svg";

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An element: h("p", {class: "quiet", on: {click}}, "text", child). Strings become text nodes. */
export const h = (tag, props, ...children) => fill(document.createElement(tag), props, children);

/** The same for SVG. */
export const svg = (tag, props, ...children) => fill(document.createElementNS(SVG, tag), props, children);

/** A stroke-only drawing, 20 × 20, hidden from screen readers. */
export function icon(name) {
  const paths = ICONS[name].map((d) => svg("path", { d }));
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", width: 20, height: 20, "aria-hidden": "true" }, paths);
}

const ICONS = {
  hash: ["M8 3 6 17M14 3l-2 14M3.5 7.5h14M2.5 12.5h14"],
  close: ["m5 5 10 10M15 5 5 15"],
  menu: ["M3 5.5h14M3 10h14M3 14.5h14"],
  play: ["M6.5 4.2v11.6L15.8 10z"],
  send: ["M3 10 17 3.5 12.5 17 9.5 11z", "M9.5 11 17 3.5"],
  more: ["M4.5 10h.01M10 10h.01M15.5 10h.01"],
  down: ["m5 8 5 5 5-5"],
  check: ["m4 10.5 4 4 8-9"],
  eye: ["M2 10s3-5.5 8-5.5S18 10 18 10s-3 5.5-8 5.5S2 10 2 10z", "M10 12.3a2.3 2.3 0 1 0 0-4.6 2.3 2.3 0 0 0 0 4.6z"],
  sliders: ["M3 6h7M14 6h3M3 14h3M10 14h7", "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM8 16a2 2 0 1 0 0-4 2 2 0 0 0 0 4z"],
  chat: ["M3 4.5h14v9H9l-4 3.5v-3.5H3z"],
  reply: ["M3 4.5h14v9H9l-4 3.5v-3.5H3z", "M7 9h6"],
  pin: ["M12 3l5 5-3 1-3.5 3.5.3 3.2L5.3 10.2l3.2.3L12 6z", "M7.5 12.5 3.5 16.5"],
  restart: ["M16 10a6 6 0 1 1-2-4.5", "M16.5 2.5v4h-4"],
  file: ["M5 2.5h7l3.5 3.5v11.5H5z", "M12 2.5V6h3.5"],
  warning: ["M10 3 18 17H2z", "M10 8v4M10 14.5h.01"],
};

/** Replaces everything in `element` by `children`. */
export function put(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Makes the children of `parent` be `items` ({key, version, render}), reusing elements whose version is the same. */
export function reconcile(parent, items) {
  const before = new Map([...parent.children].map((child) => [child.reconcileKey, child]));
  let cursor = parent.firstChild;
  for (const item of items) {
    let element = before.get(item.key);
    before.delete(item.key);
    if (!element || !same(element.reconcileVersion, item.version)) {
      const fresh = item.render(element);
      fresh.reconcileKey = item.key;
      fresh.reconcileVersion = item.version;
      if (element) {
        if (cursor === element) cursor = fresh;
        keepFocus(element, fresh, () => element.replaceWith(fresh));
      }
      element = fresh;
    }
    if (cursor === element) cursor = cursor.nextSibling;
    else parent.insertBefore(element, cursor);
  }
  for (const stale of before.values()) stale.remove();
}

const same = (left, right) => left.length === right.length && left.every((part, index) => Object.is(part, right[index]));

// A card is edited while somebody has its button focused: the same button of the new card gets the focus.
function keepFocus(old, fresh, swap) {
  const key = old.contains(document.activeElement) ? document.activeElement.dataset.focusKey : undefined;
  swap();
  if (key) [...fresh.querySelectorAll("[data-focus-key]")].find((element) => element.dataset.focusKey === key)?.focus();
}

export const initials = (name) =>
  name
    .split(/\s+/)
    .map((word) => word[0] ?? "")
    .slice(0, 2)
    .join("")
    .toUpperCase();
