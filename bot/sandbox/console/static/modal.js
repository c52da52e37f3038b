// A modal view of the app: a dialog with Block Kit, its values collected on submission.

import { closeView, submitView } from "./api.js";
import { blocks, text } from "./blocks.js";
import { h, icon, put } from "./dom.js";

/** Values and errors of one view's inputs. */
class Collector {
  constructor() {
    this.values = [];
    this.errors = new Map();
  }

  add(blockId, element, current) {
    this.values.push([blockId, element, current]);
  }

  onError(blockId, show) {
    this.errors.set(blockId, show);
  }

  /** view.state.values, as Slack sends it. */
  state() {
    const state = {};
    for (const [blockId, element, current] of this.values) (state[blockId] ??= {})[element.action_id] = { type: element.type, ...current() };
    return state;
  }

  showErrors(errors) {
    for (const [blockId, show] of this.errors) show(errors?.[blockId]);
  }
}

/** One dialog that shows the topmost view of whoever is clicking; call `refresh` when the views changed. */
export function modal(view) {
  const dialog = h("dialog", { class: "dialog modal", "aria-labelledby": "modal-title" });
  document.body.append(dialog);
  let shown;
  let collector;

  const close = () => shown && view.attempt(() => closeView({ user: view.me(), view_id: shown.id }));
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });

  const submit = async (event) => {
    event.preventDefault();
    const button = dialog.querySelector(".submit");
    button?.setAttribute("aria-busy", "true");
    view.feed.forgetTrouble(view.me(), shown.id);
    refresh();
    await view.attempt(() => submitView({ user: view.me(), view_id: shown.id, values: collector.state() }));
    button?.removeAttribute("aria-busy");
  };

  const draw = (current, before) => {
    const entered = before && collector.state();
    collector = new Collector();
    const directory = view.directory;
    const surface = {
      kind: "modal",
      directory,
      collect: collector,
      entered,
      act: (action) => view.act({ ...action, view_id: current.id, values: collector.state() }),
    };
    put(
      dialog,
      h(
        "form",
        { class: "modal-form", novalidate: true, on: { submit } },
        h(
          "header",
          { class: "modal-head" },
          h("h2", { id: "modal-title" }, text(current.title, directory)),
          h("button", { type: "button", class: "tool", "aria-label": "Close", on: { click: close } }, icon("close")),
        ),
        h("div", { class: "modal-body" }, h("div", { class: "modal-notice", role: "alert" }), blocks(current.blocks ?? [], surface)),
        h(
          "footer",
          { class: "dialog-buttons" },
          h("button", { type: "button", class: "button button-plain", on: { click: close } }, current.close ? text(current.close, directory) : current.submit ? "Cancel" : "Close"),
          current.submit && h("button", { type: "submit", class: "button button-primary submit" }, h("span", { class: "button-label" }, text(current.submit, directory))),
        ),
      ),
    );
  };

  const refresh = () => {
    const top = (view.feed.views.get(view.me()) ?? []).at(-1);
    if (top !== shown) {
      const before = top && shown && top.id === shown.id;
      shown = top;
      if (top) draw(top, before);
    }
    if (top && !dialog.open) dialog.showModal();
    if (!top && dialog.open) dialog.close();
    if (!top) return;
    collector.showErrors(view.feed.viewErrors.get(top.id));
    const notice = view.feed.notices.get(`${view.me()}/${top.id}`);
    put(dialog.querySelector(".modal-notice"), notice && h("p", { class: "notice" }, icon("warning"), notice));
  };
  return { refresh };
}
