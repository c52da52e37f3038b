// Behind the stage: the bot, the scenarios, and the local Cloud Run.

import { playScenario, restartBot } from "./api.js";
import { h, icon, put, reconcile, svg } from "./dom.js";

const NEWEST = 4; // revisions listed; those that serve are listed however old they are
const SAMPLES = 40; // of requests per second, kept for the little chart

export function panel(view, { bot, scenarios, cloud }) {
  const samples = new Map();
  const folded = new Map(); // scenario → whether its story was opened or closed by hand
  const unfolded = new Set(); // services whose whole message is shown
  return {
    drawBot: () => {
      put(bot, botStatus(view));
      bot.closest("section").classList.toggle("trouble", BOT_WORDS[view.feed.bot.state][0] === "bad");
    },
    drawScenarios: () => drawScenarios(scenarios, view, folded),
    drawCloud: () => {
      remember(samples, view.feed.cloud);
      reconcile(cloud, view.feed.cloud.services.map((service) => ({ key: service.name, version: [JSON.stringify(service)], render: () => serviceCard(service, samples.get(service.name), unfolded) })));
    },
  };
}

// The bot

const BOT_WORDS = {
  absent: ["idle", "No bot here", "Started with --no-bot: join with the environment that was printed."],
  starting: ["busy", "Starting", ""],
  ready: ["good", "Running", ""],
  stopped: ["idle", "Stopped", ""],
  restarting: ["bad", "Died, will be restarted", ""],
  dead: ["bad", "Died", ""],
};

function botStatus(view) {
  const { state, detail, connected, log, address } = view.feed.bot;
  const [tone, words, hint] = BOT_WORDS[state];
  const path = { socket: "over Socket Mode", http: "over HTTP" }[connected];
  return [
    h("p", { class: "bot-line" }, h("span", { class: `dot dot-${tone}` }), h("b", null, words), path && (state === "ready" || state === "absent") && h("span", { class: "hint" }, state === "absent" ? `one is connected ${path}` : path), address && state === "ready" && h("span", { class: "hint mono" }, address)),
    (detail || hint) && h("p", { class: tone === "bad" ? "bot-detail bad" : "bot-detail" }, detail || hint),
    log?.length && tone === "bad" && h("details", { open: state === "dead" }, h("summary", null, "What it said last"), h("pre", { class: "log", tabindex: 0 }, log.join("\n"))),
    ["dead", "stopped"].includes(state) && h("button", { type: "button", class: "button button-plain", on: { click: () => view.attempt(() => restartBot(view.me())) } }, icon("restart"), "Start the bot again"),
  ];
}

// Scenarios

function drawScenarios(container, view, folded) {
  const { list, playing } = view.feed.scenarios;
  reconcile(
    container,
    list.map((scenario) => ({
      key: scenario.name,
      version: [JSON.stringify(scenario), playing, view.me()],
      render: () => scenarioCard(scenario, playing, view, folded),
    })),
  );
}

function scenarioCard(scenario, playing, view, folded) {
  const live = scenario.state === "playing";
  const words = scenario.state ? "Play again" : "Play";
  const button = live
    ? h("span", { class: "state state-busy", role: "status" }, "Playing")
    : h("button", { type: "button", class: "play", disabled: Boolean(playing), data: { focusKey: `play/${scenario.name}`, scenario: scenario.name }, "aria-label": `${words}: ${scenario.title}`, title: playing ? "Another scenario is playing" : words }, icon(scenario.state ? "restart" : "play"));
  if (!live)
    button.addEventListener("click", () => {
      view.attempt(() => playScenario(scenario.name, view.me()));
      view.played();
    });
  const story = h(
    "details",
    { class: "story", open: folded.get(scenario.name) ?? false },
    h("summary", null, icon("down"), h("h3", null, scenario.title), h("small", { class: "slug mono" }, scenario.name)),
    h("p", null, scenario.story, h("code", null, `--scenario ${scenario.name}`)),
  );
  story.addEventListener("toggle", () => folded.set(scenario.name, story.open));
  return h(
    "article",
    { class: `scenario ${scenario.state ?? ""}`, "aria-label": scenario.title },
    story,
    h("div", { class: "scenario-deed" }, button),
    scenario.lines?.length > 0 && narration(scenario.lines, live),
    scenario.error && h("p", { class: "bot-detail bad", role: "alert" }, scenario.error),
  );
}

// What happens, with the seconds since the scenario began: a handful of lines, all of them shown.
function narration(lines, live) {
  const since = lines[0].at;
  return h(
    "ol",
    { class: "narration" },
    lines.map((line, index) => h("li", { class: live && index === lines.length - 1 ? "now" : "" }, h("time", null, `${Math.round(line.at - since)} s`), h("span", null, line.text))),
  );
}

// Cloud Run

function remember(samples, cloud) {
  for (const service of cloud.services) {
    const kept = samples.get(service.name) ?? [];
    if (service.live) kept.push(service.live);
    samples.set(service.name, kept.slice(-SAMPLES));
  }
}

const SERVICE_WORDS = { ready: ["good", "Ready"], deploying: ["busy", "Deploying"], failed: ["bad", "Deploy failed"], unknown: ["idle", "Unknown"], empty: ["idle", "Never deployed"] };
const REVISION_WORDS = { ready: ["good", "Ready"], deploying: ["busy", "Deploying"], failed: ["bad", "Failed"], retired: ["idle", "Retired"], unknown: ["idle", "Unknown"] };

function serviceCard(service, samples, unfolded) {
  const [tone, words] = SERVICE_WORDS[service.state] ?? SERVICE_WORDS.unknown;
  const shown = service.revisions.filter((revision, index) => index < NEWEST || percentOf(service, revision.name) > 0);
  return h(
    "article",
    { class: "service", "aria-label": service.name, data: { service: service.name } },
    h("header", { class: "service-head" }, h("span", { class: `dot dot-${unwell(service.live) ? "bad" : tone}` }), h("h3", null, service.name), h("span", { class: `state state-${tone}` }, words)),
    service.message && service.state === "failed" && whyNot(service, unfolded),
    trafficBar(service),
    service.live && liveLine(service.live, samples),
    h("ul", { class: "revisions" }, shown.map((revision) => revisionRow(revision, service))),
    service.revisions.length > shown.length && h("p", { class: "hint" }, `and ${service.revisions.length - shown.length} more that serve nobody`),
  );
}

// Cloud Run's own words are long: their beginning, and all of it when pressed.
function whyNot(service, unfolded) {
  const button = h("button", { type: "button", class: "why", data: { focusKey: "why" }, "aria-expanded": String(unfolded.has(service.name)), title: "Cloud Run's whole message" }, service.message);
  button.addEventListener("click", () => {
    if (!unfolded.delete(service.name)) unfolded.add(service.name);
    button.setAttribute("aria-expanded", String(unfolded.has(service.name)));
  });
  return button;
}

const percentOf = (service, name) => service.traffic.filter((target) => target.revision === name).reduce((sum, target) => sum + (target.percent ?? 0), 0);

function trafficBar(service) {
  const shares = service.revisions.map((revision) => [revision, percentOf(service, revision.name)]).filter(([, percent]) => percent > 0);
  const words = shares.map(([revision, percent]) => `${percent} % to ${revision.name}`).join(", ") || "no traffic is served";
  return h(
    "div",
    { class: "traffic", role: "img", "aria-label": `Traffic: ${words}` },
    shares.length
      ? shares.map(([revision, percent]) => h("span", { class: `share ${failing(revision) ? "share-bad" : `tone-${number(revision.name) % 5}`}`, style: { "flex-grow": percent }, title: `${percent} % → ${revision.name}` }, percent >= 45 ? `${shortName(revision.name, service.name)} · ${percent} %` : percent >= 12 && `${percent} %`))
      : h("span", { class: "share share-none" }, "nothing serves"),
  );
}

const unwell = (live) => (live?.failing_ratio ?? 0) >= 0.05;
const failing = (revision) => revision.state === "failed" || unwell(revision.live);
const number = (name) => Number(name.match(/-(\d{5})-/)?.[1] ?? 0);
const shortName = (name, service) => (name.startsWith(`${service}-`) ? `…${name.slice(service.length)}` : name);
const percentWords = (ratio) => (ratio === 0 ? "0 %" : ratio < 0.001 ? "< 0.1 %" : `${(ratio * 100).toFixed(ratio < 0.1 ? 1 : 0)} %`);

function revisionRow(revision, service) {
  const [tone, words] = REVISION_WORDS[revision.state] ?? REVISION_WORDS.unknown;
  const percent = percentOf(service, revision.name);
  const marks = [
    revision.name === service.latest_ready && "latest ready",
    revision.name === service.latest_created && revision.name !== service.latest_ready && "latest created",
    percent > 0 && service.pinned && "pinned",
    ...(revision.tags ?? []).map((tag) => `tag: ${tag}`),
  ].filter(Boolean);
  return h(
    "li",
    { class: percent ? "revision serving" : "revision" },
    h("span", { class: `dot dot-${failing(revision) && percent ? "bad" : tone}`, title: words }),
    h("span", { class: "revision-name mono", title: revision.name }, shortName(revision.name, service.name)),
    h("span", { class: "marks" }, tone !== "good" && h("span", { class: `mark mark-${tone}`, title: revision.message ?? "" }, words), marks.map((mark) => h("span", { class: mark === "pinned" ? "mark mark-pinned" : "mark" }, mark === "pinned" && icon("pin"), mark))),
    h("b", { class: "revision-percent" }, `${percent} %`),
  );
}

function liveLine(live, samples) {
  const bad = unwell(live);
  return h(
    "div",
    { class: "live" },
    sparkline(samples ?? []),
    h("span", null, h("b", null, live.per_second.toFixed(live.per_second < 10 ? 1 : 0)), " requests/s"),
    h("span", { class: bad ? "live-bad" : "live-good" }, h("b", null, live.per_second > 0 ? percentWords(live.failing_ratio) : "–"), " failing"),
  );
}

function sparkline(samples) {
  const width = 88;
  const height = 22;
  const top = Math.max(1, ...samples.map((sample) => sample.per_second));
  const step = width / SAMPLES;
  const bar = (sample, index, share, name) => {
    const tall = (sample.per_second / top) * height * share;
    return tall > 0.2 && svg("rect", { class: name, x: width - (samples.length - index) * step, y: height - tall, width: step * 0.75, height: tall });
  };
  return svg("svg", { class: "sparkline", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true" }, samples.map((sample, index) => [bar(sample, index, 1, "spark-all"), bar(sample, index, sample.failing_ratio, "spark-bad")]));
}
