// The left bar: channels and direct messages, with what is unread.

import { h, icon, put } from "./dom.js";
import { avatar, unread } from "./messages.js";

export function drawRail(container, view) {
  const me = view.me();
  const mine = [...view.feed.channels.values()].filter((channel) => !channel.is_archived && (channel.kind === "public_channel" || channel.members.includes(me)));
  const named = mine.filter((channel) => channel.name && !channel.kind.includes("im"));
  const direct = mine.filter((channel) => channel.kind === "im");
  put(
    container,
    h("h2", { class: "rail-title" }, "Channels"),
    h("ul", null, named.map((channel) => row(channel, icon("hash"), channel.name, view))),
    direct.length > 0 && h("h2", { class: "rail-title" }, "Direct messages"),
    direct.length > 0 &&
      h(
        "ul",
        null,
        direct.map((channel) => {
          const other = view.feed.users.get(channel.members.find((member) => member !== me) ?? me);
          return row(channel, avatar(other, "avatar-tiny"), other?.real_name ?? "you", view);
        }),
      ),
  );
}

function row(channel, picture, name, view) {
  const current = view.channel()?.id === channel.id;
  const { count, mentions } = current ? { count: 0, mentions: 0 } : unread(channel, view.me(), view.lastRead(channel.id), view.feed.groups);
  const words = mentions ? `, ${mentions} mentions` : count ? ", unread" : "";
  return h(
    "li",
    null,
    h(
      "a",
      { href: `#${channel.id}`, class: count ? "rail-row unread" : "rail-row", "aria-current": current ? "page" : undefined, "aria-label": `${name}${words}` },
      picture,
      h("span", { class: "rail-name" }, name),
      mentions > 0 ? h("span", { class: "rail-count" }, mentions) : count > 0 && h("span", { class: "rail-dot" }),
    ),
  );
}
