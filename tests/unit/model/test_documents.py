"""Incidents as they are stored: read across releases, and of a size that a database takes every few seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from support import cards

from bot.correlate.merging import kept
from bot.model.attribution import Attribution, Cause
from bot.model.bookmark import Bookmark
from bot.model.evidence import ErrorGroup, LogEntry, LogKind, Window
from bot.model.incident import Incident, ReadTo, SameRise
from bot.model.novelty import Baseline, ErrorCount, Novelty, NoveltyKind, Observed
from bot.notify.render import render_card
from bot.store.documents import dump, load

RECORDED = Path(__file__).parents[2] / "cases" / "documents" / "incident_of_0.1.json"
NOON = cards.START


def test_an_incident_stored_by_the_first_release_is_read_and_shown() -> None:
    known = load(RECORDED.read_text(encoding="utf-8"), Incident)

    assert known == cards.errors_after_deploy(plan=None)
    assert (known.attribution, known.read_to, known.same_rise, known.pinned_place) == (None, None, (), "")
    assert render_card(known, cards.PLACE, cards.CATALOG).text


def test_an_incident_stored_by_a_later_release_is_read_without_what_is_not_known_yet() -> None:
    document = json.loads(dump(fullest()))
    document["of_a_later_release"] = {"a": 1}
    document["attribution"]["of_a_later_release"] = [1]

    assert load(json.dumps(document), Incident) == fullest()


def test_an_incident_in_a_flood_of_the_longest_different_errors_is_stored_in_less_than_half_a_megabyte() -> None:
    assert len(dump(fullest())) < 500_000


def fullest() -> Incident:
    """As much of everything as a look keeps."""
    groups = kept(ErrorGroup(f"v1:{number:016x}", "t" * 200, number, NOON, NOON, "s" * 8_000) for number in range(200))
    window = Window(NOON, NOON + timedelta(minutes=30))
    counts = tuple(ErrorCount(g.fingerprint, g.title, g.count, NOON, NOON) for g in groups[:100])
    entries = [
        LogEntry(f"{number:024x}", LogKind.STDERR, NOON + timedelta(milliseconds=number), cards.BAD)
        for number in range(5_000)
    ]
    mark = Bookmark.after(entries)
    assert mark is not None
    said = Attribution(Cause.DEPENDENCY, "auth-service", "", 0.9, "postgres", 0.0, 0.0)
    return replace(
        cards.errors_after_deploy(plan=None),
        groups=groups,
        novelty=tuple(Novelty(NoveltyKind.NEW, replace(group, sample="")) for group in groups),
        baseline=Baseline(Observed(window, counts), Observed(window, counts)),
        read_to=ReadTo(cards.BAD, mark),
        attribution=said,
        withdrawn=(said, said, said),
        same_rise=(SameRise(3, "backend"),),
    )
