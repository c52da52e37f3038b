// rich_text blocks: what Slack's own editor writes, as a tree instead of mrkdwn.

import { fillDate } from "./dates.js";
import { h } from "./dom.js";
import { channelLink, emojiCharacter, groupMention, link, mention } from "./mrkdwn.js";

export function richText(block, directory) {
  return h("div", { class: "rich-text" }, block.elements.map((element) => part(element, directory)));
}

function part(element, directory) {
  const content = () => element.elements.map((leaf) => styled(leaf, directory));
  switch (element.type) {
    case "rich_text_section":
      return h("p", null, content());
    case "rich_text_quote":
      return h("blockquote", null, content());
    case "rich_text_preformatted":
      return h("pre", null, content());
    case "rich_text_list":
      return h(
        element.style === "ordered" ? "ol" : "ul",
        { class: `indent-${Math.min(element.indent ?? 0, 4)}`, start: element.offset ? element.offset + 1 : undefined },
        element.elements.map((item) => h("li", null, item.elements.map((leaf) => styled(leaf, directory)))),
      );
    default:
      return h("span", { class: "unknown" }, `[${element.type}]`);
  }
}

const WRAPPERS = { code: "code", bold: "strong", italic: "em", strike: "s", underline: "u" };

function styled(leaf, directory) {
  let nodes = leafNodes(leaf, directory);
  for (const [style, tag] of Object.entries(WRAPPERS)) if (leaf.style?.[style]) nodes = [h(tag, null, nodes)];
  return nodes;
}

function leafNodes(leaf, directory) {
  switch (leaf.type) {
    case "text":
      return leaf.text.split("\n").flatMap((line, index) => (index ? [h("br"), line] : [line]));
    case "link":
      return [link(leaf.url, leaf.text ?? leaf.url)];
    case "emoji":
      return [h("span", { class: "emoji", title: `:${leaf.name}:` }, emojiCharacter(leaf.name))];
    case "user":
      return [mention(`@${directory.user(leaf.user_id)?.name ?? leaf.user_id}`, leaf.user_id === directory.me())];
    case "usergroup":
      return [groupMention(leaf.usergroup_id, "", directory)];
    case "channel":
      return [channelLink(leaf.channel_id, directory.channel(leaf.channel_id)?.name ?? leaf.channel_id)];
    case "broadcast":
      return [mention(`@${leaf.range}`, true)];
    case "date":
      return [fillDate(leaf.timestamp, leaf.format) ?? leaf.fallback ?? ""];
    case "color":
      return [h("span", { class: "swatch", style: { "--swatch": leaf.value } }), leaf.value];
    default:
      return [`[${leaf.type}]`];
  }
}
