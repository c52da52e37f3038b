// Everything the page knows, kept current by the server's stream. The rest of the page reads this and is told
// which part changed: "messages", "channels", "views", "notices", "cloud", "scenarios", "bot", "link", "all".

import { getState } from "./api.js";

export class Feed {
  constructor() {
    this.listeners = new Set();
    this.users = new Map();
    this.groups = new Map();
    this.channels = new Map();
    this.views = new Map(); // user → views, the topmost last
    this.notices = new Map(); // user + message ts or view id → text
    this.viewErrors = new Map(); // view id → {block id: text}
    this.link = "connecting"; // between this page and the sandbox: connecting, open, lost
  }

  listen(callback) {
    this.listeners.add(callback);
  }

  tell(topic, detail) {
    for (const callback of this.listeners) callback(topic, detail);
  }

  async start() {
    await this.load();
    this.source = new EventSource(`/console/stream?after=${encodeURIComponent(this.position)}`);
    this.source.addEventListener("open", () => this.setLink("open"));
    this.source.addEventListener("error", () => this.setLink("lost"));
    // The server no longer has what we missed (or is another run): begin again from the whole.
    this.source.addEventListener("reset", () => this.load().catch(() => this.setLink("lost")));
    for (const kind of ["slack", "cloud", "scenarios", "bot"])
      this.source.addEventListener(kind, (event) => this.receive(kind, JSON.parse(event.data), event.lastEventId));
  }

  setLink(link) {
    if (this.link === link) return;
    this.link = link;
    this.tell("link");
  }

  async load() {
    this.waiting = []; // what arrives while the whole state is being read; what it already contains is left out
    const state = await getState();
    this.position = state.position;
    this.team = state.team;
    this.app = state.app;
    this.people = state.people;
    this.commands = state.commands;
    this.users = new Map(state.users.map((user) => [user.id, user]));
    this.groups = new Map(state.groups.map((group) => [group.id, group]));
    this.channels = new Map(state.channels.map((channel) => [channel.id, held(channel)]));
    this.views = new Map(Object.entries(state.views));
    this.cloud = state.cloud;
    this.scenarios = state.scenarios;
    this.bot = state.bot;
    this.tell("all");
    const arrived = this.waiting;
    this.waiting = undefined;
    for (const [kind, data, position] of arrived) if (number(position) > number(state.position)) this.receive(kind, data, position);
  }

  receive(kind, data, position) {
    if (this.waiting) {
      this.waiting.push([kind, data, position]);
      return;
    }
    if (kind === "slack") this.apply(data);
    else {
      this[kind] = data;
      this.tell(kind);
    }
  }

  apply({ kind, channel, user, body }) {
    const place = this.channels.get(channel);
    if (kind === "channel_changed") {
      this.channels.set(body.id, { ...held({ ...body, messages: [], ephemerals: [] }), ...kept(this.channels.get(body.id)) });
      this.tell("channels");
    } else if (kind.startsWith("message_") || kind.startsWith("reaction_") || kind.startsWith("ephemeral_")) {
      if (place) this.applyMessage(kind, place, user, body);
    } else if (kind.startsWith("view_")) this.applyView(kind, user, body);
    else if (kind === "notice") {
      this.notices.set(`${user}/${body.message_ts ?? body.view_id ?? ""}`, body.text);
      this.tell("notices", { user, ...body });
    } else if (kind === "connection") {
      this.bot = { ...this.bot, connected: body.connected };
      this.tell("bot");
    }
  }

  applyMessage(kind, place, user, body) {
    const [what, deed] = kind.split("_");
    if (what === "reaction") place.messages.set(body.message.ts, body.message);
    else if (what === "ephemeral") {
      if (deed === "deleted") place.ephemerals.delete(body.ts);
      else place.ephemerals.set(body.ts, { user, message: body });
    } else if (deed === "deleted") {
      if (replies(place, body.ts).length) place.messages.set(body.ts, { ts: body.ts, subtype: "tombstone", text: "This message was deleted." });
      else place.messages.delete(body.ts);
    } else place.messages.set(body.ts, body);
    this.tell("messages", { channel: place.id, kind, message: body, user });
  }

  applyView(kind, user, body) {
    const stack = this.views.get(user) ?? [];
    if (kind === "view_opened") this.views.set(user, [...stack.filter((view) => view.id !== body.id), body]);
    else if (kind === "view_updated") this.views.set(user, stack.map((view) => (view.id === body.id ? body : view)));
    else if (kind === "view_closed") this.views.set(user, stack.filter((view) => view.id !== (body.id ?? body.view_id)));
    else if (kind === "view_errors") this.viewErrors.set(body.view_id, body.errors);
    this.tell("views", { kind, user, view: body });
  }

  /** What went wrong with a view or message is of the past once it is tried again. */
  forgetTrouble(user, id) {
    this.notices.delete(`${user}/${id}`);
    this.viewErrors.delete(id);
  }

  /** Names for mrkdwn, seen by `me`. */
  directory(me) {
    return {
      user: (id) => this.users.get(id),
      users: () => [...this.users.values()].filter((user) => !user.is_bot),
      channel: (id) => this.channels.get(id),
      channels: () => [...this.channels.values()].filter((channel) => channel.name),
      group: (id) => this.groups.get(id),
      me: () => me(),
    };
  }
}

const number = (position) => Number(position.split("-").at(-1));

const held = (channel) => ({
  ...channel,
  messages: new Map(channel.messages.map((message) => [message.ts, message])),
  ephemerals: new Map(channel.ephemerals.map((entry) => [entry.message.ts, entry])),
});
const kept = (channel) => (channel ? { messages: channel.messages, ephemerals: channel.ephemerals } : {});

export const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;
export const replies = (channel, ts) => byTime([...channel.messages.values()].filter((message) => isReply(message) && message.thread_ts === ts));
export const byTime = (messages) => messages.sort((left, right) => Number(left.ts) - Number(right.ts) || (left.ts < right.ts ? -1 : 1));

/** What `me` sees in the channel's flow, oldest first: messages, broadcast replies, their own ephemerals. */
export function flow(channel, me) {
  const open = [...channel.messages.values()].filter((message) => !isReply(message) || message.subtype === "thread_broadcast");
  const own = [...channel.ephemerals.values()].filter((entry) => entry.user === me && !isReply(entry.message)).map((entry) => entry.message);
  return byTime([...open, ...own]);
}

/** The thread under `ts` as `me` sees it, its parent first; empty if the parent is gone. */
export function thread(channel, ts, me) {
  const parent = channel.messages.get(ts);
  if (!parent) return [];
  const own = [...channel.ephemerals.values()].filter((entry) => entry.user === me && entry.message.thread_ts === ts).map((entry) => entry.message);
  return [parent, ...byTime([...replies(channel, ts), ...own])];
}
