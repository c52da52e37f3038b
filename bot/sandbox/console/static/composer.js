// Where one types: plain messages, and slash commands with a list of what they can be.

import { slash, say } from "./api.js";
import { h, icon, put } from "./dom.js";

/** `target()` says where to: {channel, name, thread_ts?}. */
export function composer(view, target) {
  const list = h("div", { class: "typeahead", role: "listbox", id: `typeahead-${Math.random().toString(36).slice(2)}`, "aria-label": "Commands", hidden: true });
  const box = h("textarea", { rows: 1, class: "composer-text", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false", role: "combobox", autocomplete: "off", spellcheck: "false", enterkeyhint: "send" });
  const button = h("button", { type: "submit", class: "send", "aria-label": "Send", disabled: true }, icon("send"));
  const form = h("form", { class: "composer" }, list, h("div", { class: "composer-box" }, box, button));
  let matches = [];
  let chosen = 0;

  const refresh = () => {
    const place = target();
    box.placeholder = place.thread_ts ? "Reply…" : `Message #${place.name}, or /reliability status`;
    box.setAttribute("aria-label", place.thread_ts ? "Reply in this thread" : `Message #${place.name}`);
  };

  const suggest = () => {
    const typed = box.value;
    matches = typed.startsWith("/") && !typed.includes("\n") ? view.feed.commands.filter((command) => command.text.startsWith(typed) && command.text !== typed.trimEnd()) : [];
    chosen = Math.min(chosen, Math.max(matches.length - 1, 0));
    list.hidden = matches.length === 0;
    box.setAttribute("aria-expanded", String(matches.length > 0));
    put(
      list,
      matches.map((command, index) =>
        h(
          "div",
          {
            role: "option",
            id: `${list.id}-${index}`,
            class: "suggestion",
            "aria-selected": String(index === chosen),
            on: { pointerdown: (event) => { event.preventDefault(); take(index); } },
          },
          h("b", null, command.text),
          command.hint && h("i", null, command.hint),
          h("span", null, command.description),
        ),
      ),
    );
    if (matches.length) box.setAttribute("aria-activedescendant", `${list.id}-${chosen}`);
    else box.removeAttribute("aria-activedescendant");
  };

  const take = (index) => {
    box.value = `${matches[index].text} `;
    changed();
    box.focus();
  };

  const changed = () => {
    box.style.setProperty("height", "auto");
    box.style.setProperty("height", `${Math.min(box.scrollHeight, 160)}px`);
    button.disabled = !box.value.trim();
    suggest();
  };

  const send = async () => {
    const typed = box.value.trim();
    if (!typed) return;
    box.value = "";
    changed();
    const sent = await view.attempt(() => deliver(typed, view.me(), target()));
    if (!sent && !box.value) {
      box.value = typed; // what was refused can be mended and sent again
      changed();
    }
  };

  box.addEventListener("input", () => { chosen = 0; changed(); });
  box.addEventListener("blur", () => { list.hidden = true; });
  box.addEventListener("focus", suggest);
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (matches.length && !list.hidden && step) {
      event.preventDefault();
      chosen = (chosen + step + matches.length) % matches.length;
      suggest();
    } else if (matches.length && !list.hidden && event.key === "Tab" && !event.shiftKey) {
      event.preventDefault();
      take(chosen);
    } else if (event.key === "Escape" && !list.hidden) {
      event.stopPropagation();
      list.hidden = true;
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      // A half-typed command is completed first; a complete one, or one with words of its own, is sent.
      const complete = view.feed.commands.some((command) => command.text === box.value.trimEnd());
      if (matches.length && !list.hidden && !complete) take(chosen);
      else send();
    }
  });
  form.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  refresh();
  return { element: form, refresh, focus: () => box.focus() };
}

function deliver(typed, user, place) {
  const [command, ...words] = typed.split(/\s+/);
  if (!/^\/[a-z]/.test(command)) return say({ user, channel: place.channel, text: typed, thread_ts: place.thread_ts });
  return slash({ user, channel: place.channel, command, text: words.join(" "), thread_ts: place.thread_ts });
}
