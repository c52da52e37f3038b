"""The answer to `/reliability errors` and the words above its chart: files in tests/snapshots/."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import cards
from support.snapshots import Compare

from bot.correlate.series import SharedGroup
from bot.model.evidence import ErrorGroup, Gap, Window
from bot.model.series import ErrorSeries, RevisionErrors
from bot.notify.render import render

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
WINDOW = Window(NOON, NOON + timedelta(minutes=30))
BAD, GOOD = "auth-service-00283-qab", "auth-service-00281-kzq"
HOSTILE = '<!channel> `rm` "x" \u202e password=hunter2-swordfish ' + "y" * 3_000


def series(*revisions: RevisionErrors, complete: bool = True) -> ErrorSeries:
    return ErrorSeries(WINDOW, timedelta(minutes=1), revisions, complete=complete)


def group(title: str, count: int, *on: tuple[str, int], is_echo: bool = False) -> SharedGroup:
    first, last = NOON + timedelta(minutes=16, seconds=12), NOON + timedelta(minutes=29)
    return SharedGroup(ErrorGroup(f"v1:{title[:8]}", title, count, first, last, title, is_echo=is_echo), on)


def told(**fields: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "place": cards.PLACE,
        "series": series(RevisionErrors(BAD, (0,) * 16 + (50,) * 14), RevisionErrors(GOOD, (1,) * 30)),
        "groups": (
            group("ModuleNotFoundError: No module named 'app.services.monitoring'", 690, (BAD, 690)),
            group("HTTP 503 unavailable", 40, (BAD, 10), (GOOD, 30), is_echo=True),
        ),
        "gaps": (),
        "revision": "",
    }
    return base | fields


def context(*places: dict[str, Any], more: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"places": list(places), "window": WINDOW, "more": more}


CASES: dict[str, dict[str, Any]] = {
    "two-revisions": context(told()),
    "one-revision": context(told(revision=BAD, series=series(RevisionErrors(BAD, (0,) * 16 + (50,) * 14)))),
    "none": context(told(series=series(), groups=())),
    "unreadable": context(told(series=None, groups=(), gaps=(Gap("Cloud Logging", "its read quota is used up"),))),
    "cut": context(told(series=series(RevisionErrors(BAD, (99,) * 30), complete=False))),
    "several-places": context(told(), told(series=series(), groups=()), more=("auth/preview", "auth/load")),
    "many-groups": context(
        told(
            groups=tuple(group(f"error number {n}", 40 - n, *((f"{BAD}-{r}", 2) for r in range(9))) for n in range(12))
        )
    ),
    "hostile": context(
        told(
            series=series(RevisionErrors(HOSTILE, (1,) * 30)),
            groups=(group(HOSTILE, 3, (HOSTILE, 3)),),
            gaps=(Gap("Cloud Logging", HOSTILE),),
            revision=HOSTILE,
        )
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_errors_are_told_by_revision_and_group(case: str, compare: Compare) -> None:
    compare("reply/errors", case, render("reply/errors", CASES[case]))


@pytest.mark.parametrize("moment", ["blamed", "resolved", "asked"])
def test_the_words_above_a_chart_say_which_it_is(moment: str, compare: Compare) -> None:
    said = "779 errors, 2 Mar 2026, 12:00–12:30 UTC: …-00283-qab 709, …-00281-kzq 70"

    compare("picture/errors", moment, render("picture/errors", {"moment": moment, "said": said}))


def test_first_and_last_seen_carry_their_days_where_they_differ() -> None:
    old = SharedGroup(ErrorGroup("v1:a", "t", 2, NOON - timedelta(days=1), NOON, "t"), ((BAD, 2),))

    assert "2026-03-01 12:00:00 – 2026-03-02 12:00:00 UTC" in str(render("reply/errors", context(told(groups=(old,)))))


def test_nothing_that_a_log_line_says_is_a_mention_or_a_secret() -> None:
    said = str(render("reply/errors", CASES["hostile"]))

    assert "<!channel>" not in said
    assert "hunter2" not in said
