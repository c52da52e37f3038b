"""Novelty: which errors came with a revision."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.correlate.novelty import compare, observed
from bot.model.evidence import ErrorGroup, Window
from bot.model.novelty import Baseline, NoveltyKind

NOON = datetime(2025, 9, 15, 12, tzinfo=UTC)
NOW = Window(NOON, NOON + timedelta(minutes=5))
BEFORE = Window(NOON - timedelta(minutes=5), NOON)
YESTERDAY = Window(NOW.start - timedelta(days=1), NOW.end - timedelta(days=1))


def errors(name: str, count: int, *, window: Window = NOW, is_echo: bool = False) -> ErrorGroup:
    return ErrorGroup(f"v1:{name}", name, count, window.start, window.end, sample=name, is_echo=is_echo)


def baseline(
    good: list[ErrorGroup], yesterday: list[ErrorGroup] | None = None, requests: int | None = None
) -> Baseline:
    return Baseline(
        last_good=observed(good, BEFORE, requests),
        same_hours=None if yesterday is None else observed(yesterday, YESTERDAY),
    )


def kinds(groups: list[ErrorGroup], known: Baseline, requests: int | None = None) -> dict[str, NoveltyKind]:
    return {n.group.title: n.kind for n in compare(groups, NOW, requests, known)}


def test_an_error_that_no_earlier_window_had_is_new() -> None:
    assert kinds([errors("boom", 3)], baseline([errors("old", 5)])) == {
        "boom": NoveltyKind.NEW,
        "old": NoveltyKind.GONE,
    }


def test_an_error_of_yesterday_that_the_last_good_revision_did_not_have_is_regressed() -> None:
    assert kinds([errors("back", 9)], baseline([], [errors("back", 4)])) == {"back": NoveltyKind.REGRESSED}


def test_an_error_eight_times_as_frequent_is_grown_by_eight() -> None:
    (found,) = compare([errors("slow", 80)], NOW, None, baseline([errors("slow", 10)]))
    assert (found.kind, found.growth) == (NoveltyKind.GROWN, 8.0)


def test_a_few_more_by_chance_are_pre_existing() -> None:
    assert kinds([errors("slow", 5)], baseline([errors("slow", 1)])) == {"slow": NoveltyKind.PRE_EXISTING}


def test_eight_times_the_errors_of_eight_times_the_requests_are_pre_existing() -> None:
    assert kinds([errors("slow", 80)], baseline([errors("slow", 10)], requests=1_000), requests=8_000) == {
        "slow": NoveltyKind.PRE_EXISTING
    }


def test_growth_against_a_quiet_morning_is_none_where_yesterday_was_as_busy() -> None:
    known = baseline([errors("nightly", 2)], [errors("nightly", 70)])
    assert kinds([errors("nightly", 80)], known) == {"nightly": NoveltyKind.PRE_EXISTING}


def test_an_error_too_rare_to_be_missed_is_not_called_gone() -> None:
    assert kinds([], baseline([errors("rare", 2)])) == {}


def test_the_rate_is_per_request_and_unknown_where_nobody_counted() -> None:
    known = baseline([])
    assert compare([errors("boom", 5)], NOW, 1_000, known)[0].rate == 0.005
    assert compare([errors("boom", 5)], NOW, None, known)[0].rate is None


def test_echoes_are_no_news() -> None:
    assert kinds([errors("503", 40, is_echo=True)], baseline([])) == {}


def test_without_anything_to_compare_with_nobody_knows_what_is_new() -> None:
    assert compare([errors("boom", 5)], NOW, None, Baseline()) == ()


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 10_000)), unique_by=lambda pair: pair[0]))
def test_the_same_errors_at_the_same_rate_are_never_news(pairs: list[tuple[str, int]]) -> None:
    groups = [errors(name, count) for name, count in pairs]
    assert set(kinds(groups, baseline(groups, groups)).values()) <= {NoveltyKind.PRE_EXISTING}


@given(st.integers(1, 500), st.integers(0, 500))
def test_more_errors_never_make_it_less_of_a_growth(more: int, was: int) -> None:
    order = [NoveltyKind.PRE_EXISTING, NoveltyKind.GROWN, NoveltyKind.NEW]
    known = baseline([errors("e", was)] if was else [])
    less = order.index(kinds([errors("e", more)], known)["e"])
    assert order.index(kinds([errors("e", more + 100)], known)["e"]) >= less
