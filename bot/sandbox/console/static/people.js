// A choice of who is clicking.

import { h, put } from "./dom.js";
import { avatar } from "./messages.js";

const ROLE_HINTS = { responder: "on call", approver: "may approve a rollback", outsider: "has no say" };

export function drawPeople(container, view) {
  const focused = container.contains(document.activeElement);
  put(
    container,
    h("legend", null, "You are"),
    view.feed.people.map((person) =>
      h(
        "label",
        { class: "person", title: `${person.real_name}: ${person.role}, ${ROLE_HINTS[person.role] ?? ""}` },
        h("input", { type: "radio", name: "person", value: person.id, checked: person.id === view.me(), "aria-label": `${person.real_name}, ${person.role}`, on: { change: () => view.become(person.id) } }),
        avatar(person),
        h("span", { class: "person-words", "aria-hidden": "true" }, h("b", null, person.real_name.split(" ")[0]), h("small", null, person.role)),
      ),
    ),
  );
  if (focused) container.querySelector("input:checked")?.focus();
}
