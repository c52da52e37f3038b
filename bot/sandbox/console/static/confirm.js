// Block Kit's confirm object: "are you sure", in the app's words.

import { h } from "./dom.js";
import { mrkdwn, plain } from "./mrkdwn.js";

const words = (object, directory) => (object?.type === "mrkdwn" ? mrkdwn(object.text, directory) : plain(object?.text ?? ""));

/** Resolves to true if the person confirmed. */
export function confirmed(object, directory) {
  return new Promise((resolve) => {
    const style = object.style === "danger" ? "danger" : "primary";
    const dialog = h(
      "dialog",
      { class: "dialog confirm", "aria-labelledby": "confirm-title" },
      h(
        "form",
        { method: "dialog" },
        h("h2", { id: "confirm-title" }, words(object.title ?? { text: "Are you sure?" }, directory)),
        h("div", { class: "confirm-text" }, words(object.text ?? { text: "" }, directory)),
        h(
          "div",
          { class: "dialog-buttons" },
          h("button", { class: "button button-plain", value: "no" }, words(object.deny ?? { text: "Cancel" }, directory)),
          h("button", { class: `button button-${style}`, value: "yes" }, words(object.confirm ?? { text: "Yes" }, directory)),
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      resolve(dialog.returnValue === "yes");
      dialog.remove();
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("button[value=yes]").focus();
  });
}
