// One message, and a list of them with day dividers.

import { blocks } from "./blocks.js";
import { dayLabel, fromTs, full, sameDay, time } from "./dates.js";
import { h, icon, initials, reconcile, svg } from "./dom.js";
import { flow, replies } from "./feed.js";
import { emojiCharacter, localPicture, mrkdwn, plain } from "./mrkdwn.js";

const TOGETHER_SECONDS = 300; // the same author within this time needs no second name and picture
const MOST_SHOWN = 300;
const QUIET = ["channel_join", "channel_leave", "group_join", "group_leave", "channel_topic", "channel_purpose", "channel_name", "tombstone"];

/** A person's or the bot's picture: initials on the person's colour, a pulse for the bot. */
export function avatar(user, className = "") {
  if (!user || user.is_bot)
    return h(
      "span",
      { class: `avatar avatar-bot ${className}`, "aria-hidden": "true" },
      svg("svg", { viewBox: "0 0 36 36" }, svg("path", { d: "M5 19h6l3-9 6 17 4-11 2.5 3H31" })),
    );
  const tint = [...user.id].reduce((sum, character) => sum + character.codePointAt(0), 0) % 8;
  return h("span", { class: `avatar tint-${tint} ${className}`, "aria-hidden": "true" }, initials(user.real_name ?? user.name));
}

/** Keeps `container` showing `messages`; `view` is what the page can do: see app.js. */
export function showMessages(container, messages, channel, view, { inThread = false } = {}) {
  const items = [];
  let previous;
  for (const message of messages.slice(-MOST_SHOWN)) {
    const date = fromTs(message.ts);
    const newDay = !previous || !sameDay(date, fromTs(previous.ts));
    if (newDay && !inThread) {
      items.push({ key: `line-${date.toDateString()}`, version: [], render: () => h("hr", { class: "day-line" }) });
      items.push({ key: `day-${date.toDateString()}`, version: [dayLabel(date)], render: () => dayDivider(dayLabel(date)) });
    }
    if (inThread && previous === messages[0]) {
      const count = messages.length - 1;
      items.push({ key: "count", version: [count], render: () => h("p", { class: "reply-count" }, count === 1 ? "1 reply" : `${count} replies`) });
    }
    const compact = !newDay && !(inThread && previous === messages[0]) && follows(previous, message);
    const threadReplies = inThread ? [] : replies(channel, message.ts);
    const notice = view.feed.notices.get(`${view.me()}/${message.ts}`);
    items.push({
      key: message.ts,
      version: [message, compact, view.me(), threadReplies.length, threadReplies.at(-1)?.ts, notice, view.feed.users],
      render: (old) => oneMessage(message, { compact, threadReplies, notice, channel, view, inThread, edited: Boolean(old) && old.reconcileVersion[0] !== message }),
    });
    previous = message;
  }
  reconcile(container, items);
}

const follows = (previous, message) =>
  previous &&
  !QUIET.includes(message.subtype) &&
  !QUIET.includes(previous.subtype) &&
  previous.user === message.user &&
  previous.username === message.username &&
  Boolean(previous.is_ephemeral) === Boolean(message.is_ephemeral) &&
  message.subtype !== "thread_broadcast" &&
  Number(message.ts) - Number(previous.ts) < TOGETHER_SECONDS;

const dayDivider = (label) => h("div", { class: "day" }, h("span", null, label));

function oneMessage(message, shown) {
  const { compact, view, edited } = shown;
  const user = view.feed.users.get(message.user);
  const classes = ["message", compact && "compact", message.is_ephemeral && "ephemeral", edited && "just-edited", QUIET.includes(message.subtype) && "quiet-message"];
  const date = fromTs(message.ts);
  const stamp = h("time", { class: "stamp", datetime: date.toISOString(), title: full(date) }, time(date));
  return h(
    "article",
    { class: classes.filter(Boolean).join(" "), data: { ts: message.ts }, "aria-label": `${authorName(message, user)}, ${time(date)}` },
    message.is_ephemeral && h("p", { class: "ephemeral-label" }, icon("eye"), "Only visible to you"),
    message.subtype === "thread_broadcast" && h("p", { class: "broadcast-label" }, "replied to a thread"),
    h("div", { class: "gutter" }, compact ? stamp : messageAvatar(message, user)),
    h(
      "div",
      { class: "message-main" },
      !compact && h("header", { class: "byline" }, h("span", { class: "author" }, authorName(message, user)), message.bot_id && h("span", { class: "badge" }, "App"), stamp),
      h("div", { class: "message-body" }, content(message, shown)),
      shown.notice && h("p", { class: "notice", role: "alert" }, icon("warning"), h("span", null, mrkdwn(shown.notice, view.directory))),
      reactions(message, view),
      threadLink(message, shown),
    ),
    tools(message, shown),
  );
}

const authorName = (message, user) => message.username ?? user?.real_name ?? user?.name ?? message.bot_profile?.name ?? "somebody";

function messageAvatar(message, user) {
  const own = message.icons?.emoji?.replaceAll(":", "");
  if (own) return h("span", { class: "avatar avatar-emoji", "aria-hidden": "true" }, emojiCharacter(own));
  return avatar(message.bot_id ? undefined : user);
}

function content(message, { channel, view }) {
  const surface = {
    kind: "message",
    directory: view.directory,
    act: (action) => view.act({ ...action, channel: channel.id, message_ts: message.ts }),
  };
  const parts = [];
  if (message.blocks?.length) parts.push(blocks(message.blocks, surface));
  else if (message.text) parts.push(h("div", { class: "message-text" }, message.mrkdwn === false ? plain(message.text) : mrkdwn(message.text, view.directory)));
  if (message.edited && !message.blocks?.length) parts.push(h("span", { class: "edited" }, "(edited)"));
  for (const attachment of message.attachments ?? []) parts.push(attachmentNode(attachment, surface, view));
  for (const file of message.files ?? []) parts.push(fileNode(file));
  return parts;
}

function attachmentNode(attachment, surface, view) {
  const named = { good: "#2eb67d", warning: "#ecb22e", danger: "#e01e5a" };
  const color = named[attachment.color] ?? (attachment.color ? `#${attachment.color.replace(/^#/, "")}` : "var(--line-strong)");
  const rich = (text) => h("div", null, mrkdwn(text, view.directory));
  return h(
    "div",
    { class: "attachment", style: { "--attachment": color } },
    attachment.pretext && rich(attachment.pretext),
    attachment.title && h("strong", null, rich(attachment.title)),
    attachment.text && rich(attachment.text),
    attachment.fields && h("div", { class: "fields" }, attachment.fields.map((field) => h("div", { class: "field" }, h("strong", null, field.title), rich(String(field.value))))),
    attachment.blocks?.length && blocks(attachment.blocks, surface),
    attachment.footer && h("p", { class: "hint" }, attachment.footer),
    !attachment.blocks && !attachment.text && attachment.fallback && rich(attachment.fallback),
  );
}

function fileNode(file) {
  const address = localPicture(file.url_private ?? "");
  if (address && file.mimetype?.startsWith("image/"))
    return h("figure", { class: "file-picture" }, h("figcaption", null, file.title || file.name), h("img", { src: address, alt: file.alt_txt ?? file.title ?? file.name, width: file.original_w, height: file.original_h }));
  return h("a", { class: "file", href: address, target: "_blank", rel: "noopener" }, icon("file"), h("span", null, file.title || file.name, h("small", null, file.pretty_type ?? file.filetype)));
}

function reactions(message, view) {
  if (!message.reactions?.length) return null;
  const names = (users) => users.map((id) => view.feed.users.get(id)?.real_name ?? id).join(", ");
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((reaction) =>
      h("span", { class: reaction.users.includes(view.me()) ? "reaction mine" : "reaction", title: `${names(reaction.users)} reacted with :${reaction.name}:` }, emojiCharacter(reaction.name), h("b", null, reaction.count)),
    ),
  );
}

function threadLink(message, { threadReplies, channel, view }) {
  if (!threadReplies.length) return null;
  const authors = [...new Set(threadReplies.map((reply) => reply.user))].slice(0, 4);
  const last = fromTs(threadReplies.at(-1).ts);
  return h(
    "button",
    { type: "button", class: "thread-link", data: { focusKey: "thread" }, on: { click: () => view.openThread(channel.id, message.ts) } },
    h("span", { class: "thread-faces" }, authors.map((id) => avatar(view.feed.users.get(id), "avatar-small"))),
    h("b", null, threadReplies.length === 1 ? "1 reply" : `${threadReplies.length} replies`),
    h("span", { class: "hint" }, `Last reply ${sameDay(last, new Date()) ? "" : `${dayLabel(last)} `}at ${time(last)}`),
  );
}

function tools(message, { channel, view, inThread }) {
  if (inThread || message.is_ephemeral || message.subtype === "tombstone") return null;
  return h(
    "div",
    { class: "message-tools" },
    h("button", { type: "button", class: "tool", title: "Reply in thread", "aria-label": "Reply in thread", on: { click: () => view.openThread(channel.id, message.ts) } }, icon("reply")),
  );
}

/** Unread messages and mentions of `me` in a channel, after what they have read. */
export function unread(channel, me, since, groups) {
  const fresh = flow(channel, me).filter((message) => message.ts > since && message.user !== me);
  const mine = [`<@${me}>`, "<!channel>", "<!here>", ...[...groups.values()].filter((group) => group.users.includes(me)).map((group) => `<!subteam^${group.id}`)];
  const words = (message) => message.text + (message.blocks ? JSON.stringify(message.blocks) : "");
  return { count: fresh.length, mentions: fresh.filter((message) => mine.some((mark) => words(message).includes(mark))).length };
}
