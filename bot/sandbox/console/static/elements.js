// What can be pressed, chosen or filled in. Each element may do two things: tell the app at once (`surface.act`)
// and remember its value for a modal's submission (`surface.collect`).
//
// Not imitated: external selects (the app would have to be asked while typing) and workflow buttons.

import { confirmed } from "./confirm.js";
import { decode, mrkdwn, plain } from "./mrkdwn.js";
import { h, icon } from "./dom.js";
import { openMenu } from "./menu.js";

export const isInteractive = (type) => Object.hasOwn(ELEMENTS, type);

export function interactive(element, blockId, surface) {
  const render = Object.hasOwn(ELEMENTS, element.type) ? ELEMENTS[element.type] : unsupported;
  const node = render(withEntered(element, surface.entered?.[blockId]?.[element.action_id]), blockId, surface);
  node.dataset.actionId = element.action_id ?? "";
  return node;
}

const ELEMENTS = {
  button,
  overflow,
  static_select: select,
  users_select: select,
  channels_select: select,
  conversations_select: select,
  multi_static_select: multiSelect,
  multi_users_select: multiSelect,
  multi_channels_select: multiSelect,
  multi_conversations_select: multiSelect,
  plain_text_input: textInput,
  email_text_input: textInput,
  url_text_input: textInput,
  number_input: textInput,
  datepicker: textInput,
  timepicker: textInput,
  datetimepicker: textInput,
  checkboxes: choices,
  radio_buttons: choices,
};

// A view that the app changes keeps what was entered: it becomes what the element begins with.
function withEntered(element, entry) {
  const initial = {};
  for (const [key, value] of Object.entries(entry ?? {})) {
    if (key === "type" || value === null) continue;
    initial[key === "value" ? "initial_value" : key.replace(/^selected_/, "initial_")] = value;
  }
  return { ...element, ...initial };
}

const unsupported = (element) => h("span", { class: "unknown" }, `A “${element.type}”; the sandbox does not draw these`);
const label = (object) => plain(object?.text ?? "", object?.emoji !== false);
const words = (object) => decode(object?.text ?? "");
const focusKey = (element, blockId) => ({ focusKey: `${blockId}/${element.action_id ?? ""}` });

/** Asks first if the element says so, then tells the app; the control shows that it is waiting. */
async function dispatch(control, element, blockId, surface, value) {
  if (element.confirm && !(await confirmed(element.confirm, surface.directory))) return false;
  control.setAttribute("aria-busy", "true");
  control.disabled = true;
  try {
    await surface.act({ block_id: blockId, action_id: element.action_id, choice: value && { type: element.type, ...value } });
    return true;
  } finally {
    control.removeAttribute("aria-busy");
    control.disabled = false;
  }
}

function button(element, blockId, surface) {
  const style = ["primary", "danger"].includes(element.style) ? element.style : "plain";
  const node = h(
    "button",
    { type: "button", class: `button button-${style}`, "aria-label": element.accessibility_label, data: focusKey(element, blockId) },
    h("span", { class: "button-label" }, label(element.text)),
  );
  node.addEventListener("click", () => {
    if (element.url) window.open(element.url, "_blank", "noopener,noreferrer");
    dispatch(node, element, blockId, surface, undefined);
  });
  return node;
}

function overflow(element, blockId, surface) {
  const node = h(
    "button",
    { type: "button", class: "button button-plain button-icon", "aria-label": "More actions", "aria-haspopup": "menu", "aria-expanded": "false", data: focusKey(element, blockId) },
    icon("more"),
  );
  node.addEventListener("click", () =>
    openMenu(
      node,
      element.options.map((option) => ({
        label: label(option.text),
        description: option.description && label(option.description),
        choose: () => {
          if (option.url) window.open(option.url, "_blank", "noopener,noreferrer");
          dispatch(node, element, blockId, surface, { selected_option: option });
        },
      })),
    ),
  );
  return node;
}

/** Everything that can be picked, as [key, words, what the app is sent]. */
function picks(element, directory) {
  if (element.type.endsWith("users_select")) return directory.users().map((user) => [user.id, user.real_name, user.id]);
  if (element.type.endsWith("channels_select") || element.type.endsWith("conversations_select"))
    return directory.channels().map((channel) => [channel.id, `#${channel.name}`, channel.id]);
  const options = element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
  return options.map((option) => [option.value, words(option.text), option]);
}

const SINGLE = { users_select: "user", channels_select: "channel", conversations_select: "conversation", static_select: "option" };

function select(element, blockId, surface) {
  const kind = SINGLE[element.type];
  const initial = element[`initial_${kind}`]?.value ?? element[`initial_${kind}`];
  const known = picks(element, surface.directory);
  const option = ([key, name]) => h("option", { value: key, selected: key === initial }, name);
  const grouped = element.option_groups?.map((group) =>
    h("optgroup", { label: words(group.label) }, group.options.map((entry) => option([entry.value, words(entry.text)]))),
  );
  const node = h(
    "select",
    { class: "select", "aria-label": surface.labelled ? undefined : words(element.placeholder) || "Choose", data: focusKey(element, blockId) },
    h("option", { value: "", selected: initial === undefined, disabled: surface.kind === "message" }, words(element.placeholder) || "Choose an option"),
    grouped ?? known.map(option),
  );
  const current = () => {
    const found = known.find(([key]) => key === node.value);
    return { [`selected_${kind}`]: found ? found[2] : null };
  };
  surface.collect?.add(blockId, element, current);
  let last = node.value;
  node.addEventListener("change", async () => {
    if (surface.dispatch === false) return;
    const told = await dispatch(node, element, blockId, surface, current());
    if (told) last = node.value;
    else node.value = last;
  });
  return node;
}

function multiSelect(element, blockId, surface) {
  const single = element.type.replace(/^multi_/, "");
  const kind = `${SINGLE[single]}s`;
  const initial = new Set((element[`initial_${kind}`] ?? []).map((entry) => entry.value ?? entry));
  const known = picks(element, surface.directory);
  const boxes = known.map(([key, name]) => [key, h("input", { type: "checkbox", checked: initial.has(key) }), name]);
  const current = () => ({ [`selected_${kind}`]: known.filter(([key]) => boxes.find(([own]) => own === key)[1].checked).map(([, , sent]) => sent) });
  const node = h("div", { class: "choice-list choice-box", role: "group", "aria-label": words(element.placeholder) || "Choose" });
  node.append(...boxes.map(([, box, name]) => h("label", { class: "choice" }, box, h("span", null, name))));
  return listed(node, element, blockId, surface, current);
}

function choices(element, blockId, surface) {
  const radio = element.type === "radio_buttons";
  const initial = new Set(radio ? [element.initial_option?.value] : (element.initial_options ?? []).map((option) => option.value));
  const name = `${blockId}-${element.action_id}`;
  const boxes = element.options.map((option) => [option, h("input", { type: radio ? "radio" : "checkbox", name, checked: initial.has(option.value) })]);
  const rich = (object) => (object?.type === "mrkdwn" ? mrkdwn(object.text, surface.directory) : label(object));
  const current = () => {
    const chosen = boxes.filter(([, box]) => box.checked).map(([option]) => option);
    return radio ? { selected_option: chosen[0] ?? null } : { selected_options: chosen };
  };
  const node = h("div", { class: "choice-list" });
  node.append(
    ...boxes.map(([option, box]) =>
      h("label", { class: "choice" }, box, h("span", null, rich(option.text), option.description && h("span", { class: "choice-description" }, rich(option.description)))),
    ),
  );
  return listed(node, element, blockId, surface, current);
}

function listed(node, element, blockId, surface, current) {
  surface.collect?.add(blockId, element, current);
  node.addEventListener("change", () => {
    if (surface.dispatch !== false) dispatch(node, element, blockId, surface, current());
  });
  return node;
}

const INPUTS = {
  plain_text_input: ["text", "value", "initial_value"],
  email_text_input: ["email", "value", "initial_value"],
  url_text_input: ["url", "value", "initial_value"],
  number_input: ["number", "value", "initial_value"],
  datepicker: ["date", "selected_date", "initial_date"],
  timepicker: ["time", "selected_time", "initial_time"],
  datetimepicker: ["datetime-local", "selected_date_time", "initial_date_time"],
};

function textInput(element, blockId, surface) {
  const [type, key, initialKey] = INPUTS[element.type];
  const props = {
    class: "text-input",
    placeholder: words(element.placeholder),
    "aria-label": surface.labelled ? undefined : words(element.placeholder) || "Text",
    minlength: element.min_length,
    maxlength: element.max_length,
    min: element.min_value,
    max: element.max_value,
    step: type === "number" ? (element.is_decimal_allowed ? "any" : "1") : undefined,
    data: focusKey(element, blockId),
  };
  const node = element.multiline ? h("textarea", { ...props, rows: 4 }) : h("input", { ...props, type });
  const initial = element[initialKey];
  node.value = type === "datetime-local" && initial ? localDateTime(initial) : (initial ?? "");
  if (element.focus_on_load) node.autofocus = true;
  const current = () => ({ [key]: type === "datetime-local" && node.value ? Math.floor(new Date(node.value).getTime() / 1000) : node.value || null });
  surface.collect?.add(blockId, element, current);
  const picker = ["date", "time", "datetime-local"].includes(type);
  node.addEventListener("change", () => {
    if (surface.dispatch === undefined ? picker : surface.dispatch) dispatch(node, element, blockId, surface, current());
  });
  return node;
}

function localDateTime(seconds) {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
