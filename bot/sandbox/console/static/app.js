// Puts the page together: who is clicking, which channel and thread are open, and what is redrawn when.

import { Refusal, click } from "./api.js";
import { composer } from "./composer.js";
import { h, icon, put } from "./dom.js";
import { Feed, flow, thread } from "./feed.js";
import { drawPeople } from "./people.js";
import { avatar, showMessages } from "./messages.js";
import { modal } from "./modal.js";
import { panel } from "./panel.js";
import { drawRail } from "./rail.js";
import { Scroll } from "./scroll.js";
import { toast } from "./toasts.js";

const at = (id) => document.getElementById(id);
const feed = new Feed();
const memory = { person: remembered("person"), read: JSON.parse(remembered("read") ?? "{}") };
let place = { channel: undefined, thread: undefined };

function remembered(key) {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined; // storage is switched off: the choice lasts until the page is reloaded
  }
}

function remember(key, value) {
  try {
    sessionStorage.setItem(key, value);
  } catch {
    // as above
  }
}

/** What every part of the page may ask and do. */
const view = {
  feed,
  me: () => memory.person,
  channel: () => feed.channels.get(place.channel),
  lastRead: (channel) => memory.read[`${memory.person}/${channel}`] ?? "",
  directory: feed.directory(() => memory.person),
  become(person) {
    memory.person = person;
    remember("person", person);
    draw();
  },
  openThread(channel, ts) {
    location.hash = `#${channel}/${ts}`;
  },
  async attempt(deed) {
    try {
      return (await deed()) ?? true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      toast(at("toasts"), error.message, error.hint);
      return undefined;
    }
  },
  /** A press or a choice: resolves when the app has answered or failed to. */
  async act(action) {
    feed.forgetTrouble(memory.person, action.message_ts ?? action.view_id);
    await view.attempt(() => click({ user: memory.person, ...action }));
    drawChannel();
    drawThread();
  },
  played: () => showTab("channel"),
};

const channelComposer = composer(view, () => ({ channel: place.channel, name: view.channel()?.name ?? "" }));
const threadComposer = composer(view, () => ({ channel: place.channel, name: view.channel()?.name ?? "", thread_ts: place.thread }));
const dialog = modal(view);
const side = panel(view, { bot: at("bot"), scenarios: at("scenarios"), cloud: at("cloud") });

const channelScroll = new Scroll(at("scroller"), () => { at("jump").hidden = !channelScroll.missesNews; });
const threadScroll = new Scroll(at("thread-scroller"));

function drawChannel() {
  const channel = view.channel();
  if (!channel) return;
  const moved = at("messages").dataset.channel !== channel.id;
  at("messages").dataset.channel = channel.id;
  at("channel-name").textContent = channel.name || "Direct message";
  at("channel-topic").textContent = channel.topic ?? "";
  document.title = `#${channel.name} · ${feed.team.name} · sandbox`;
  const messages = flow(channel, view.me());
  at("empty").hidden = messages.length > 0;
  channelScroll.around(() => showMessages(at("messages"), messages, channel, view));
  if (moved) channelScroll.toNewest();
  const last = messages.at(-1)?.ts;
  if (last && !document.hidden) {
    memory.read[`${memory.person}/${channel.id}`] = last;
    remember("read", JSON.stringify(memory.read));
  }
}

function drawThread() {
  const channel = view.channel();
  const messages = channel && place.thread ? thread(channel, place.thread, view.me()) : [];
  const open = messages.length > 0;
  at("thread").hidden = !open;
  document.body.classList.toggle("thread-open", open);
  if (!open) return;
  at("thread-place").textContent = channel.name ? `#${channel.name}` : "";
  threadScroll.around(() => showMessages(at("thread-messages"), messages, channel, view, { inThread: true }));
}

const drawPlaces = () => drawRail(at("rail"), view);

function drawLink() {
  const lost = feed.link === "lost";
  at("link").hidden = !lost;
  document.body.classList.toggle("offline", lost);
}

function draw() {
  at("team").textContent = feed.team.name;
  put(at("cloud-place"), `${feed.cloud.project} · ${feed.cloud.region}`);
  drawPeople(at("people"), view);
  drawChannel();
  drawThread();
  drawPlaces();
  channelComposer.refresh();
  threadComposer.refresh();
  dialog.refresh();
  side.drawBot();
  side.drawScenarios();
  side.drawCloud();
  drawLink();
  drawBadge();
}

// Where we are is in the address: #CHANNEL or #CHANNEL/THREAD_TS.

function goTo() {
  const [channel, ts] = decodeURIComponent(location.hash.slice(1)).split("/");
  const moved = channel !== place.channel;
  place = { channel: feed.channels.has(channel) ? channel : (place.channel ?? feed.channels.keys().next().value), thread: ts };
  document.body.classList.remove("rail-open");
  if (moved) showTab("channel");
  drawChannel();
  drawThread();
  drawPlaces();
  channelComposer.refresh();
  threadComposer.refresh();
}

function closeThread() {
  location.hash = `#${place.channel}`;
}

// Phones and small windows: the channel first, the rest one press away.

function showTab(name) {
  document.body.classList.toggle("side-open", name === "side");
  for (const tab of document.querySelectorAll("[data-tab]")) tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
}

function drawBadge() {
  const trouble = ["dead", "restarting"].includes(feed.bot.state);
  for (const badge of document.querySelectorAll(".tab-badge")) {
    badge.hidden = !feed.scenarios.playing && !trouble;
    badge.classList.toggle("bad", trouble);
  }
}

// What is new is said to a screen reader, once, in the message's own short form.

function announce({ kind, channel, message, user }) {
  const own = kind === "ephemeral_posted" ? user === view.me() : kind === "message_posted" && message.user !== view.me();
  if (!own || channel !== place.channel) return;
  const author = feed.users.get(message.user)?.real_name ?? message.username ?? "";
  at("announcer").textContent = `${author}: ${(message.text ?? "").replace(/<[^>]*>/g, " ").slice(0, 240)}`;
}

const REDRAW = {
  all: () => {
    if (!feed.people.some((person) => person.id === memory.person)) memory.person = feed.people[0].id;
    goTo();
    draw();
  },
  messages: (detail) => {
    if (detail.channel === place.channel) {
      drawChannel();
      drawThread();
    }
    drawPlaces();
    announce(detail);
  },
  channels: () => {
    drawPlaces();
    drawChannel();
  },
  views: ({ kind, view: body }) => {
    if (kind !== "view_errors") feed.viewErrors.delete(body.id);
    dialog.refresh();
  },
  notices: (notice) => {
    if (notice.user !== view.me()) return;
    const channel = view.channel();
    const shown = notice.view_id || channel?.messages.has(notice.message_ts) || channel?.ephemerals.has(notice.message_ts);
    if (!shown) toast(at("toasts"), notice.text);
    dialog.refresh();
    drawChannel();
    drawThread();
  },
  cloud: () => side.drawCloud(),
  scenarios: () => {
    side.drawScenarios();
    drawBadge();
  },
  bot: () => {
    side.drawBot();
    drawBadge();
  },
  link: drawLink,
};

function wire() {
  at("composer").append(channelComposer.element);
  at("thread-composer").append(threadComposer.element);
  at("brand").append(avatar(undefined));
  at("jump").append(icon("down"), "Newest messages");
  at("jump").addEventListener("click", () => channelScroll.toNewest());
  for (const [id, name] of [["open-rail", "menu"], ["close-thread", "close"], ["tab-channel-icon", "chat"], ["tab-side-icon", "sliders"], ["channel-hash", "hash"], ["toggle-side-icon", "sliders"]]) at(id).append(icon(name));
  at("open-rail").addEventListener("click", () => document.body.classList.toggle("rail-open"));
  at("shade").addEventListener("click", () => {
    document.body.classList.remove("rail-open");
    showTab("channel");
  });
  at("close-thread").addEventListener("click", closeThread);
  at("toggle-side").addEventListener("click", () => showTab(document.body.classList.contains("side-open") ? "channel" : "side"));
  for (const tab of document.querySelectorAll(".tabs [data-tab]")) tab.addEventListener("click", () => showTab(tab.dataset.tab));
  window.addEventListener("hashchange", goTo);
  document.addEventListener("visibilitychange", () => !document.hidden && drawChannel());
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], .menu")) return;
    if (document.body.classList.contains("rail-open")) document.body.classList.remove("rail-open");
    else if (place.thread) closeThread();
    else showTab("channel");
  });
  document.addEventListener("click", openPermalink);
}

// A permalink of this workspace opens here, not at slack.com.
function openPermalink(event) {
  const address = event.target.closest?.("a[href]")?.getAttribute("href");
  const match = address?.match(/\/archives\/([A-Z0-9]+)\/p(\d{10})(\d{6})(?:\?thread_ts=([\d.]+))?/);
  if (!match || !feed.channels.has(match[1])) return;
  event.preventDefault();
  const message = feed.channels.get(match[1]).messages.get(`${match[2]}.${match[3]}`);
  const parent = match[4] ?? message?.thread_ts;
  location.hash = parent ? `#${match[1]}/${parent}` : `#${match[1]}`;
  requestAnimationFrame(() => document.querySelector(`[data-ts="${match[2]}.${match[3]}"]`)?.scrollIntoView({ block: "center" }));
}

feed.listen((topic, detail) => REDRAW[topic](detail));
wire();
feed.start().catch((error) => {
  put(at("empty"), h("p", null, "The sandbox does not answer. Is it still running?"), h("p", { class: "hint" }, error.message));
  at("empty").hidden = false;
});
