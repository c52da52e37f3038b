// Slack's mrkdwn as DOM nodes. The text is never parsed as HTML: what looks like a tag stays a text node.
//
// Not imitated: unfurling, and Slack's rule that a bare "www.example.com" becomes a link.

import { fillDate, full } from "./dates.js";
import { h } from "./dom.js";
import { EMOJI } from "./emoji.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const MARKS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const EMOJI_NAME = /:([a-z0-9_+'-]+):(?::skin-tone-\d:)?/y;
const BARE_URL = /https?:\/\/[^\s<>|"`]*[^\s<>|"`.,;:!?)\]}'*_~]/y;

/** The three characters that Slack escapes, back as they were written. */
export const decode = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/** Only addresses that cannot run code or leave the page for a local file. */
export function safeHref(address) {
  try {
    const url = new URL(address);
    return ["http:", "https:", "mailto:", "tel:"].includes(url.protocol) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** Where this page can load a picture from: files of the local Slack, by their id, and the page's own. */
export function localPicture(address) {
  const file = address.match(/\/files\/(F[A-Z0-9]+)(?:\/|$)/);
  if (file) return `/console/files/${file[1]}`;
  const url = safeHref(address);
  return url && new URL(url).origin === location.origin ? url : undefined;
}

export function link(address, ...label) {
  const href = safeHref(address);
  const content = label.length ? label : [address];
  if (!href) return h("span", null, ...content);
  return h("a", { href, target: "_blank", rel: "noopener noreferrer" }, ...content);
}

/** mrkdwn → DocumentFragment. `directory` names users, channels and groups: {user(id), channel(id), group(id), me()}. */
export function mrkdwn(text, directory) {
  const fragment = document.createDocumentFragment();
  // ``` fences first: nothing inside them has a meaning, except links.
  const parts = text.split(/```/);
  parts.forEach((part, index) => {
    const fenced = index % 2 === 1;
    if (fenced && index === parts.length - 1) fragment.append(...lines(`\`\`\`${part}`, directory));
    else if (fenced) fragment.append(h("pre", null, ...literal(part.replace(/^\n|\n$/g, ""), directory)));
    else if (part) fragment.append(...lines(trimBesideFence(part, index, parts.length), directory));
  });
  return fragment;
}

/** plain_text: emoji and line breaks only. */
export function plain(text, emoji = true) {
  const nodes = [];
  decode(text).split("\n").forEach((line, index) => {
    if (index) nodes.push(h("br"));
    nodes.push(emoji ? withEmoji(line) : line);
  });
  return h("span", { class: "plain" }, ...nodes);
}

const withEmoji = (text) =>
  text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : whole));

export const emojiCharacter = (name) => (Object.hasOwn(EMOJI, name) ? EMOJI[name] : `:${name}:`);

// A fence is a block of its own: the line breaks that separate it from the text around it are not shown.
function trimBesideFence(part, index, count) {
  let text = part;
  if (index > 0) text = text.replace(/^\n/, "");
  if (index < count - 1) text = text.replace(/\n$/, "");
  return text;
}

function lines(text, directory) {
  const nodes = [];
  const rows = text.split("\n");
  let quote = [];
  const endQuote = () => {
    if (quote.length) nodes.push(h("blockquote", null, ...joined(quote, directory)));
    quote = [];
  };
  let plainRows = [];
  const endPlain = () => {
    if (plainRows.length) nodes.push(...joined(plainRows, directory));
    plainRows = [];
  };
  for (const [index, row] of rows.entries()) {
    const everything = row.match(/^(?:&gt;|>){3}\s?/);
    const quoted = row.match(/^(?:&gt;|>)\s?/);
    if (everything) {
      endPlain();
      quote.push(row.slice(everything[0].length), ...rows.slice(index + 1));
      break;
    } else if (quoted) {
      endPlain();
      quote.push(row.slice(quoted[0].length));
    } else {
      endQuote();
      plainRows.push(row);
    }
  }
  endPlain();
  endQuote();
  return nodes;
}

const joined = (rows, directory) => rows.flatMap((row, index) => (index ? [h("br"), ...inline(row, directory)] : inline(row, directory)));

// Inside code: angle brackets still are links and mentions, the rest is as written.
function literal(text, directory) {
  const nodes = [];
  let rest = text;
  for (let match = rest.match(/<([^<>\n]+)>/); match; match = rest.match(/<([^<>\n]+)>/)) {
    nodes.push(decode(rest.slice(0, match.index)), angle(match[1], directory));
    rest = rest.slice(match.index + match[0].length);
  }
  return [...nodes, decode(rest)];
}

/** One line of mrkdwn as an array of nodes and strings. */
function inline(text, directory) {
  const nodes = [];
  let plainText = "";
  const flush = () => {
    if (plainText) nodes.push(decode(plainText));
    plainText = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = special(text, at, directory);
    if (found) {
      flush();
      nodes.push(found.node);
      at = found.end;
    } else plainText += text[at++];
  }
  flush();
  return nodes;
}

/** The construct that begins at `at`, as {node, end}; undefined if the character stands for itself. */
function special(text, at, directory) {
  const character = text[at];
  if (character === "<") {
    const end = text.indexOf(">", at);
    const inner = end > at + 1 ? text.slice(at + 1, end) : "";
    return inner && !inner.includes("<") ? { node: angle(inner, directory), end: end + 1 } : undefined;
  }
  if (character === "`") {
    const end = text.indexOf("`", at + 1);
    return end > at + 1 ? { node: h("code", null, ...literal(text.slice(at + 1, end), directory)), end: end + 1 } : undefined;
  }
  if (Object.hasOwn(MARKS, character)) {
    const end = closing(text, at);
    return end > 0 ? { node: h(MARKS[character], null, ...inline(text.slice(at + 1, end), directory)), end: end + 1 } : undefined;
  }
  if (character === ":") {
    EMOJI_NAME.lastIndex = at;
    const match = EMOJI_NAME.exec(text);
    const known = match && Object.hasOwn(EMOJI, match[1]);
    return known ? { node: h("span", { class: "emoji", title: `:${match[1]}:` }, EMOJI[match[1]]), end: EMOJI_NAME.lastIndex } : undefined;
  }
  if (character === "h") {
    BARE_URL.lastIndex = at;
    const match = BARE_URL.exec(text);
    return match ? { node: link(decode(match[0])), end: BARE_URL.lastIndex } : undefined;
  }
  return undefined;
}

/** Where the mark opened at `at` closes; -1 if it does not, and then it is an ordinary character. */
function closing(text, at) {
  const mark = text[at];
  const before = text[at - 1] ?? " ";
  const after = text[at + 1] ?? " ";
  if (WORD.test(before) || /\s/.test(after) || after === mark) return -1;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === "<") end = Math.max(end, text.indexOf(">", end));
    else if (text[end] === "`") end = Math.max(end, text.indexOf("`", end + 1));
    else if (text[end] === mark && !/\s/.test(text[end - 1]) && !WORD.test(text[end + 1] ?? " ")) return end;
  }
  return -1;
}

/** What stands between < and >: a mention, a date, a link. */
function angle(inner, directory) {
  const bar = inner.indexOf("|");
  const target = bar < 0 ? inner : inner.slice(0, bar);
  const label = bar < 0 ? "" : decode(inner.slice(bar + 1));
  if (target.startsWith("@")) return mention(`@${directory.user(target.slice(1))?.name ?? (label || target.slice(1))}`, target.slice(1) === directory.me());
  if (target.startsWith("#")) return channelLink(target.slice(1), directory.channel(target.slice(1))?.name ?? (label || target.slice(1)));
  if (target.startsWith("!subteam^")) return groupMention(target.slice("!subteam^".length), label, directory);
  if (target.startsWith("!date^")) return date(target, label);
  if (/^!(channel|here|everyone)$/.test(target)) return mention(`@${target.slice(1)}`, true);
  if (target.startsWith("!")) return h("span", null, label || `<${target}>`);
  if (!label && !safeHref(decode(target))) return h("span", null, decode(`<${inner}>`));
  return link(decode(target), label ? withEmoji(label) : decode(target).replace(/^mailto:/, ""));
}

export const mention = (text, isMe = false) => h("span", { class: isMe ? "mention mention-me" : "mention" }, text);
export const channelLink = (id, name) => h("a", { class: "mention", href: `#${encodeURIComponent(id)}` }, `#${name}`);

export function groupMention(id, label, directory) {
  const group = directory.group(id);
  return mention(`@${group?.handle ?? (label.replace(/^@/, "") || id)}`, group?.users?.includes(directory.me()));
}

// <!date^SECONDS^TEMPLATE^LINK|FALLBACK>, LINK optional
function date(target, fallback) {
  const [, seconds, template = "", address] = target.split("^");
  const text = fillDate(Number(seconds), decode(template));
  if (text === undefined) return h("span", null, fallback);
  const moment = new Date(Number(seconds) * 1000);
  const node = h("time", { datetime: moment.toISOString(), title: full(moment) }, text);
  return address ? link(decode(address), node) : node;
}
