// Block Kit as DOM: the blocks and their texts. What can be pressed or filled in is in elements.js.
//
// Not imitated: video, call, and blocks of apps that render their own content; they are named, not dropped.

import { decode, localPicture, mrkdwn, plain } from "./mrkdwn.js";
import { h, icon, put } from "./dom.js";
import { interactive, isInteractive } from "./elements.js";
import { markdown } from "./markdown.js";
import { richText } from "./richtext.js";

/** A text object ({type: mrkdwn | plain_text, text}). */
export function text(object, directory) {
  if (!object) return "";
  return object.type === "mrkdwn" ? mrkdwn(object.text ?? "", directory) : plain(object.text ?? "", object.emoji !== false);
}

/** All blocks of one surface: {directory, act, collect, kind}. See messages.js and modal.js for the two kinds. */
export function blocks(list, surface) {
  return h("div", { class: "blocks" }, list.map((block, index) => oneBlock(block, block.block_id ?? `block-${index}`, surface)));
}

function oneBlock(block, blockId, surface) {
  const render = Object.hasOwn(BLOCKS, block.type) ? BLOCKS[block.type] : unknown;
  const element = render(block, blockId, surface);
  element.classList.add("block", `block-${block.type}`);
  element.dataset.blockId = blockId;
  return element;
}

const unknown = (block) => h("div", { class: "unknown" }, `A “${block.type}” block; the sandbox does not draw these`);

const BLOCKS = { section, header, divider, context, actions, image, input, rich_text, markdown: markdownBlock, table, file, alert };

function section(block, blockId, surface) {
  const body = h("div", { class: "section-body" });
  if (block.text) body.append(clamped(h("div", { class: "section-text" }, text(block.text, surface.directory)), block.expand));
  if (block.fields) body.append(h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, text(field, surface.directory)))));
  const accessory = block.accessory && h("div", { class: "accessory" }, element(block.accessory, blockId, surface));
  return h("div", null, body, accessory);
}

// A long section is folded, as Slack does, unless the app asked for `expand`.
function clamped(node, expand) {
  const length = node.textContent.length;
  const rows = node.querySelectorAll("br").length + (node.querySelector("pre")?.textContent.split("\n").length ?? 0);
  if (expand || (length < 1400 && rows < 24)) return node;
  node.classList.add("clamped");
  const more = h("button", { class: "link-button", type: "button", "aria-expanded": "false" }, "See more");
  more.addEventListener("click", () => {
    const open = node.classList.toggle("unclamped");
    more.textContent = open ? "See less" : "See more";
    more.setAttribute("aria-expanded", String(open));
  });
  return h("div", null, node, more);
}

function header(block, _, surface) {
  return h("h3", null, text(block.text, surface.directory));
}

function divider() {
  return h("hr");
}

function context(block, _, surface) {
  const parts = block.elements.map((part) =>
    part.type === "image" ? picture(part, "context-image") : h("span", { class: "context-text" }, text(part, surface.directory)),
  );
  return h("div", null, parts);
}

function actions(block, blockId, surface) {
  return h("div", { role: "group" }, block.elements.map((part) => element(part, blockId, surface)));
}

function element(part, blockId, surface) {
  if (part.type === "image") return picture(part, "accessory-image");
  if (!isInteractive(part.type)) return h("span", { class: "unknown" }, `[${part.type}]`);
  return interactive(part, blockId, surface);
}

function image(block, _, surface) {
  return h("figure", null, block.title && h("figcaption", null, text(block.title, surface.directory)), picture(block, "block-picture"));
}

// The page may load pictures from itself only, so one from elsewhere (or a broken one) is shown as its description.
function picture(object, className) {
  const address = object.image_url ?? object.slack_file?.url ?? (object.slack_file ? `/files/${object.slack_file.id}` : "");
  const instead = () => h("span", { class: `${className} picture-missing`, role: "img", "aria-label": object.alt_text }, object.alt_text || "picture");
  const local = localPicture(address);
  if (!local) return instead();
  const node = h("img", { class: className, src: local, alt: object.alt_text ?? "", loading: "lazy" });
  node.addEventListener("error", () => node.replaceWith(instead()));
  return node;
}

function input(block, blockId, surface) {
  const id = `input-${blockId}`;
  const error = h("p", { class: "input-error", id: `${id}-error`, hidden: true, role: "alert" });
  const field = interactive(block.element, blockId, { ...surface, labelled: true, dispatch: Boolean(block.dispatch_action) });
  const control = field.matches("input,textarea,select") ? field : field.querySelector("input,textarea,select");
  const choiceList = ["checkboxes", "radio_buttons"].includes(block.element.type);
  if (control && !choiceList) control.id = id;
  control?.setAttribute("aria-describedby", `${id}-hint ${id}-error`);
  if (control && !block.optional && !choiceList) control.required = true;
  surface.collect?.onError(blockId, (message) => {
    error.hidden = !message;
    put(error, message ?? "");
    control?.setAttribute("aria-invalid", String(Boolean(message)));
    if (message) control?.focus();
  });
  const label = [text(block.label, surface.directory), block.optional ? h("span", { class: "optional" }, " (optional)") : null];
  return h(
    choiceList ? "fieldset" : "div",
    null,
    choiceList ? h("legend", null, label) : h("label", { for: id }, label),
    field,
    error,
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, text(block.hint, surface.directory)),
  );
}

function rich_text(block, _, surface) {
  return richText(block, surface.directory);
}

function markdownBlock(block) {
  return h("div", null, markdown(decode(block.text ?? "")));
}

function table(block, _, surface) {
  const settings = block.column_settings ?? [];
  const cell = (content, column, tag) =>
    h(tag, { class: `align-${settings[column]?.align ?? "left"}` }, content.type === "rich_text" ? richText(content, surface.directory) : plain(content.text ?? ""));
  const [head, ...rest] = block.rows;
  return h(
    "div",
    { tabindex: 0, role: "region", "aria-label": "Table" },
    h(
      "table",
      null,
      h("thead", null, h("tr", null, head.map((content, column) => cell(content, column, "th")))),
      h("tbody", null, rest.map((row) => h("tr", null, row.map((content, column) => cell(content, column, "td"))))),
    ),
  );
}

function file(block) {
  return h("div", { class: "file" }, icon("file"), block.external_id ?? "file");
}

function alert(block, _, surface) {
  return h("div", { "data-level": block.level ?? "default", role: "note" }, text(block.text, surface.directory));
}
