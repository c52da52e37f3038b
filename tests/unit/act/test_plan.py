"""Splits, checks and the choice of a target; no I/O."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import values
from support.values import BAD, GOOD, NOON

from bot.act.plan import (
    NoTarget,
    Target,
    already_shifted,
    check_shift,
    choose_target,
    plan_split,
    served_equals,
    under_way,
    with_tags,
)
from bot.errors import Conflict, Permanent
from bot.model.cloud_run import Revision, TrafficSplit, TrafficTarget
from bot.model.ledger import ServedSpan

OLDER = "auth-service-00280-old"
LATEST = TrafficSplit((TrafficTarget(None, 100),))
SIX_DAYS = 6 * 24 * 60.0

names = st.sampled_from([GOOD, BAD, OLDER, "auth-service-00279-xyz"])
tags = st.none() | st.sampled_from(["canary", "preview", "latest"])
targets = st.builds(TrafficTarget, st.none() | names, st.integers(0, 100), tags)
splits = st.builds(TrafficSplit, st.lists(targets, max_size=6).map(tuple))
spans = st.builds(
    ServedSpan,
    names,
    st.floats(0, 1e6),
    st.integers(0, 100),
    st.integers(0, 2),
    st.datetimes().map(lambda at: at.replace(tzinfo=NOON.tzinfo, year=2026)),
)
revisions = st.builds(
    Revision,
    names,
    st.integers(0, 10_000).map(lambda minutes: NOON - timedelta(minutes=minutes)),
    st.none() | st.booleans(),
    image=st.sampled_from(["r/auth@sha256:a", "r/auth@sha256:b", "r/auth:tag", ""]),
)


def span(revision: str, minutes: float = SIX_DAYS, *, percent: int = 100, incidents: int = 0) -> ServedSpan:
    return ServedSpan(revision, minutes, percent, incidents, NOON)


def three_revisions() -> tuple[Revision, ...]:
    return (
        values.revision(BAD, NOON),
        values.revision(GOOD, NOON - timedelta(days=6)),
        values.revision(OLDER, NOON - timedelta(days=20), ready_at=NOON - timedelta(days=20)),
    )


@given(splits, names)
def test_a_planned_split_gives_everything_to_the_target_and_sums_to_100(wish: TrafficSplit, target: str):
    planned = plan_split(values.state(wish=wish), target)

    assert planned.serving == {target: 100}
    assert sum(t.percent for t in planned.targets) == 100
    assert not planned.follows_latest


@given(splits, names)
def test_every_tag_is_kept_where_it_points_and_gets_no_traffic(wish: TrafficSplit, target: str):
    planned = plan_split(values.state(wish=wish), target)

    assert planned.tags == tuple(TrafficTarget(t.revision, 0, t.tag) for t in wish.tags)


@given(splits, splits)
def test_exchanging_tags_never_changes_who_serves(split: TrafficSplit, tagged: TrafficSplit):
    assert with_tags(split, tagged).serving == split.serving


def test_splits_are_equal_when_users_meet_the_same_revisions_in_the_same_shares():
    one = TrafficSplit((TrafficTarget(GOOD, 0, "canary"), TrafficTarget(BAD, 60), TrafficTarget(GOOD, 40)))
    other = TrafficSplit((TrafficTarget(GOOD, 15), TrafficTarget(BAD, 60), TrafficTarget(GOOD, 25, "x")))

    assert served_equals(one, other)
    assert not served_equals(one, values.split(bad=60, good=39))
    assert not served_equals(LATEST, TrafficSplit())


def test_a_shift_is_done_only_when_it_is_served_and_wished():
    to = values.split(good=100)

    assert already_shifted(values.state(to, wish=to), to)
    assert not already_shifted(values.state(to, wish=LATEST), to)
    assert not already_shifted(values.state(values.split(bad=100), wish=to), to)


def test_a_shift_is_under_way_while_cloud_run_reconciles_exactly_this_wish():
    to = values.split(good=100)

    assert under_way(values.state(wish=to, reconciling=True), to)
    assert not under_way(values.state(wish=to), to)
    assert not under_way(values.state(wish=LATEST, reconciling=True), to)


def test_an_unchanged_world_may_be_shifted():
    check_shift(values.state(values.split(bad=100)), values.split(good=100), expecting=values.split(bad=100))


def test_a_changed_split_is_a_conflict_that_tells_both():
    live = values.state(values.split(bad=95, good=5))

    with pytest.raises(Conflict, match=f"then {BAD} 100 %; now {BAD} 95 %, {GOOD} 5 %"):
        check_shift(live, values.split(good=100), expecting=values.split(bad=100))


@pytest.mark.parametrize(("ready", "words"), [(False, "is not ready"), (None, "is not ready")])
def test_a_target_that_is_not_ready_is_a_conflict(ready: bool | None, words: str):
    live = values.state(None, values.revision(BAD), values.revision(GOOD, ready=ready))

    with pytest.raises(Conflict, match=words):
        check_shift(live, values.split(good=100), expecting=values.split(bad=100))


def test_a_target_that_is_gone_is_a_conflict():
    live = values.state(None, values.revision(BAD))

    with pytest.raises(Conflict, match="not there any more"):
        check_shift(live, values.split(good=100), expecting=values.split(bad=100))


def test_a_plan_for_latest_is_refused_for_good():
    with pytest.raises(Permanent, match="does not give 100 %"):
        check_shift(values.state(), LATEST, expecting=values.split(bad=100))


@given(
    st.lists(revisions, max_size=4, unique_by=lambda r: r.name), st.sets(names, min_size=1), st.lists(spans, max_size=4)
)
def test_never_selects_a_failing_or_unready_revision_and_explains_every_other(
    known: list[Revision], failing: set[str], history: list[ServedSpan]
):
    serving = TrafficSplit((TrafficTarget(min(failing), 100),))
    state = values.state(serving, *known) if known else values.state(serving)

    choice = choose_target(state, failing, history)

    chosen = {choice.revision} if isinstance(choice, Target) else set()
    assert not chosen & failing
    assert all(r.ready for r in state.revisions if r.name in chosen)
    assert [name for name, _ in choice.rejected] == [r.name for r in state.revisions if r.name not in chosen]
    assert all(why for _, why in choice.rejected)


def test_the_revision_that_served_well_most_recently_is_chosen_with_its_proof():
    choice = choose_target(values.state(None, *three_revisions()), {BAD}, [span(GOOD), span(BAD, 3)])

    assert choice == Target(
        GOOD,
        "proven: 6 d at up to 100 %, 0 incidents",
        ((BAD, "it is failing"), (OLDER, f"{GOOD} is the better choice")),
    )


def test_a_proven_older_revision_is_preferred_to_a_newer_unproven_one():
    choice = choose_target(values.state(None, *three_revisions()), {BAD}, [span(OLDER), span(GOOD, 2)])

    assert isinstance(choice, Target)
    assert choice.revision == OLDER


def test_a_revision_that_had_an_incident_is_not_trusted():
    choice = choose_target(values.state(None, *three_revisions()), {BAD}, [span(GOOD, incidents=1), span(OLDER, 30)])

    assert isinstance(choice, Target)
    assert choice.revision == OLDER
    assert (GOOD, "1 incident while it served") in choice.rejected


def test_just_installed_the_newest_earlier_ready_revision_is_chosen_and_the_proof_says_so():
    known = (values.revision(BAD), values.revision(GOOD, NOON - timedelta(days=6), ready_at=NOON - timedelta(days=6)))

    choice = choose_target(values.state(None, *known), {BAD}, [])

    assert isinstance(choice, Target)
    assert choice.revision == GOOD
    assert choice.proof == (
        "Ready since 2026-02-24 12:00 UTC, 6 d before the failing revision came; not yet seen serving by the bot"
    )


def test_a_revision_seen_serving_for_a_moment_is_chosen_before_one_never_seen_and_the_proof_says_so():
    choice = choose_target(values.state(None, *three_revisions()), {BAD}, [span(OLDER, 0.5)])

    assert isinstance(choice, Target)
    assert choice.revision == OLDER
    assert choice.proof == (
        "Ready since 2026-02-10 12:00 UTC, 20 d before the failing revision came; "
        "watched by the bot for less than 1 min"
    )


def test_a_revision_deployed_under_the_bots_eyes_that_never_served_is_not_chosen():
    never = values.revision("auth-service-00282-nvr", NOON - timedelta(hours=1))
    state = values.state(None, values.revision(BAD), never, values.revision(GOOD, NOON - timedelta(days=9)))

    choice = choose_target(state, {BAD}, [span(GOOD)])

    assert isinstance(choice, Target)
    assert choice.revision == GOOD
    assert (never.name, "has never served users") in choice.rejected


def test_a_newer_unproven_revision_is_not_chosen():
    newer = values.revision("auth-service-00284-new", NOON + timedelta(minutes=1))

    choice = choose_target(values.state(values.split(bad=100), newer, values.revision(BAD)), {BAD}, [])

    assert isinstance(choice, NoTarget)
    assert (newer.name, "newer than the failing revision, and not proven") in choice.rejected


def test_the_failing_image_under_another_name_is_not_chosen():
    twin = Revision(GOOD, NOON - timedelta(days=1), ready=True, image="r/auth@sha256:a", port=8080)
    bad = Revision(BAD, NOON, ready=True, image="r/auth@sha256:a", port=8080)

    choice = choose_target(values.state(None, bad, twin), {BAD}, [span(GOOD)])

    assert choice.rejected[1] == (GOOD, f"same image and configuration as {BAD}, which is failing")


def test_the_same_image_with_another_configuration_may_be_chosen():
    before = Revision(GOOD, NOON - timedelta(days=1), ready=True, image="r/auth@sha256:a", env_names=("JWT_SECRET",))
    bad = Revision(BAD, NOON, ready=True, image="r/auth@sha256:a")

    assert isinstance(choose_target(values.state(None, bad, before), {BAD}, [span(GOOD)]), Target)


def test_users_served_by_others_need_no_rollback():
    choice = choose_target(values.state(values.split(good=100)), {BAD}, [])

    assert choice == NoTarget(f"rollback is not needed: users are served by {GOOD} 100 %")


def test_a_new_service_has_nothing_to_return_to():
    bad = values.revision(BAD, ready=False, reason="HEALTH_CHECK_CONTAINER_ERROR")

    choice = choose_target(values.state(TrafficSplit(), bad), {BAD}, [])

    assert choice == NoTarget("nothing to roll back to: no earlier revision was ever ready")


def test_revisions_that_never_became_ready_are_rejected_with_their_reason():
    never = values.revision(GOOD, NOON - timedelta(days=1), ready=False, reason="HEALTH_CHECK_CONTAINER_ERROR")

    choice = choose_target(values.state(values.split(bad=100), values.revision(BAD), never), {BAD}, [])

    assert choice == NoTarget(
        "nothing to roll back to: no earlier revision was ever ready",
        ((BAD, "it is failing"), (GOOD, "never became ready (HEALTH_CHECK_CONTAINER_ERROR)")),
    )
