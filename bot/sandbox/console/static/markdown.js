// The `markdown` block: the common part of standard Markdown (headings, lists, quotes, fences, emphasis, links).
//
// Not imitated: tables, images, nested lists, reference links, HTML (which is shown as it is written).

import { h } from "./dom.js";
import { link } from "./mrkdwn.js";

const INLINE = /(`+)(.+?)\1|\[([^\]\n]+)\]\(([^()\s]+)\)|\*\*(.+?)\*\*|__(.+?)__|~~(.+?)~~|\*(\S(?:.*?\S)?)\*|\b_(\S(?:.*?\S)?)_\b/;

function inline(text) {
  const match = text.match(INLINE);
  if (!match) return text ? [text] : [];
  const [whole, , code, label, address, bold, bold2, strike, italic, italic2] = match;
  let node;
  if (code) node = h("code", null, code);
  else if (label) node = link(address, ...inline(label));
  else if (bold ?? bold2) node = h("strong", null, inline(bold ?? bold2));
  else if (strike) node = h("s", null, inline(strike));
  else node = h("em", null, inline(italic ?? italic2));
  return [text.slice(0, match.index), node, ...inline(text.slice(match.index + whole.length))];
}

const BULLET = /^\s*[-*+]\s+(?:\[([ xX])\]\s+)?/;
const NUMBER = /^\s*\d+[.)]\s+/;
const SPECIAL = /^(?:```|#{1,6}\s|>|\s*[-*+]\s|\s*\d+[.)]\s|---+\s*$|\s*$)/;

export function markdown(text) {
  const rows = text.split("\n");
  const nodes = [];
  const takeWhile = (test) => {
    const taken = [];
    while (rows.length && test(rows[0])) taken.push(rows.shift());
    return taken;
  };
  while (rows.length) {
    const row = rows[0];
    if (/^\s*$/.test(row)) rows.shift();
    else if (row.startsWith("```")) {
      rows.shift();
      nodes.push(h("pre", null, takeWhile((line) => !line.startsWith("```")).join("\n")));
      rows.shift();
    } else if (/^#{1,6}\s/.test(row)) nodes.push(h("p", { class: "markdown-heading" }, inline(rows.shift().replace(/^#+\s+/, ""))));
    else if (/^---+\s*$/.test(row)) {
      rows.shift();
      nodes.push(h("hr"));
    } else if (row.startsWith(">")) nodes.push(h("blockquote", null, markdown(takeWhile((line) => line.startsWith(">")).map((line) => line.replace(/^>\s?/, "")).join("\n"))));
    else if (BULLET.test(row)) nodes.push(h("ul", null, takeWhile((line) => BULLET.test(line)).map(bullet)));
    else if (NUMBER.test(row)) nodes.push(h("ol", null, takeWhile((line) => NUMBER.test(line)).map((line) => h("li", null, inline(line.replace(NUMBER, ""))))));
    else {
      const first = rows.shift();
      nodes.push(h("p", null, [first, ...takeWhile((line) => !SPECIAL.test(line))].flatMap((line, index) => (index ? [h("br"), ...inline(line)] : inline(line)))));
    }
  }
  return nodes;
}

function bullet(line) {
  const box = line.match(BULLET)[1];
  return h("li", null, box === undefined ? null : `${box === " " ? "☐" : "☑"} `, inline(line.replace(BULLET, "")));
}
