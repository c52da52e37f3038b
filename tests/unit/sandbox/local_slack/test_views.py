"""Modals and App Home."""

from __future__ import annotations

from typing import Any

import pytest
from support.local_slack import AVERY, RILEY, Hands

from bot.sandbox.local_slack.changes import ChangeKind
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.seed import seeded_workspace
from bot.sandbox.local_slack.views import Views

WHY = {"type": "plain_text_input", "value": "because"}


@pytest.fixture
def views() -> Views:
    return Views(seeded_workspace(Hands()))


def modal(title: str = "Silence", **more: Any) -> dict[str, Any]:
    field = {"type": "input", "block_id": "why", "element": {"type": "plain_text_input", "action_id": "text"}}
    return {"type": "modal", "title": {"type": "plain_text", "text": title}, "blocks": [field], **more}


def told(views: Views) -> list[ChangeKind]:
    kinds: list[ChangeKind] = []
    views.workspace.changes.listen(lambda change: kinds.append(change.kind))
    return kinds


def test_an_opened_modal_is_shown_as_slack_shows_it(views: Views) -> None:
    shown = views.as_json(views.open(RILEY, modal(callback_id="silence", private_metadata="42")))

    assert (shown["type"], shown["callback_id"], shown["private_metadata"]) == ("modal", "silence", "42")
    assert shown["root_view_id"] == shown["id"]
    assert shown["previous_view_id"] is None
    assert shown["state"] == {"values": {"why": {"text": {"type": "plain_text_input", "value": None}}}}


def test_modals_are_pushed_up_to_three_high(views: Views) -> None:
    root = views.open(RILEY, modal())
    middle = views.push(RILEY, modal())
    top = views.push(RILEY, modal())

    assert (top.root_id, top.previous_id) == (root.id, middle.id)
    assert views.stack(RILEY) == [root, middle, top]
    with pytest.raises(Refused, match="push_limit_reached"):
        views.push(RILEY, modal())


def test_nothing_is_pushed_onto_nothing(views: Views) -> None:
    with pytest.raises(Refused, match="not_found"):
        views.push(RILEY, modal())


def test_opening_takes_the_place_of_what_was_open(views: Views) -> None:
    views.open(RILEY, modal("Old"))

    new = views.open(RILEY, modal("New"))

    assert views.stack(RILEY) == [new]


def test_what_was_entered_survives_an_update_of_the_same_blocks(views: Views) -> None:
    view = views.touch(views.open(RILEY, modal()), "why", "text", WHY)

    changed = views.update(view, modal("Silence for how long?"))

    assert changed.values()["why"]["text"] == WHY
    assert changed.hash != view.hash


def test_an_update_of_an_older_state_is_refused_when_it_names_its_hash(views: Views) -> None:
    view = views.open(RILEY, modal())
    changed = views.update(view, modal("Newer"), expected_hash=view.hash)

    with pytest.raises(Refused, match="hash_conflict"):
        views.update(changed, modal("Late"), expected_hash=view.hash)


def test_an_external_id_is_there_once(views: Views) -> None:
    view = views.open(RILEY, modal(external_id="silence-1"))

    with pytest.raises(Refused, match="duplicate_external_id"):
        views.open(AVERY, modal(external_id="silence-1"))
    assert views.by_external_id("silence-1").id == view.id
    assert views.update(view, modal("Again", external_id="silence-1")).id == view.id


def test_closing_a_view_closes_those_above_it(views: Views) -> None:
    root = views.open(RILEY, modal())
    middle = views.push(RILEY, modal())
    views.push(RILEY, modal())
    kinds = told(views)

    views.close(middle)

    assert [view.id for view in views.stack(RILEY)] == [root.id]
    assert kinds == [ChangeKind.VIEW_CLOSED, ChangeKind.VIEW_CLOSED]


def test_a_closed_view_is_gone(views: Views) -> None:
    view = views.open(RILEY, modal())
    views.clear(RILEY)

    with pytest.raises(Refused, match="not_found"):
        views.get(view.id)
    with pytest.raises(Refused, match="not_found"):
        views.close(view)


def test_each_person_has_one_home_that_keeps_its_id(views: Views) -> None:
    first = views.publish(RILEY, {"type": "home", "blocks": []})
    second = views.publish(RILEY, {"type": "home", "blocks": []})

    assert (second.id, views.get(first.id)) == (first.id, second)
    with pytest.raises(Refused, match="hash_conflict"):
        views.publish(RILEY, {"type": "home", "blocks": []}, expected_hash=first.hash)
