"""The simulator keeps to its own truth, answers are scored as defined, and the engine keeps the goals on a few seeds."""

from __future__ import annotations

from functools import cache

import msgspec
import pytest

from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal
from bot.model.attribution import Attribution, Cause
from tests.evaluation.__main__ import lines
from tests.evaluation.baselines import BASELINES
from tests.evaluation.report import run
from tests.evaluation.scenarios import SCENARIOS
from tests.evaluation.score import Result, add_up, judge, listen, missed, quantile
from tests.evaluation.stage import Episode, Truth, play

GUILTY = Truth(Cause.REVISION, "auth", "auth-2")


@cache
def played(name: str, seed: int) -> Episode:
    """An episode that several tests look at."""
    return play(name, SCENARIOS[name], seed)


def blame(service: str, revision: str, *, withdrawn: str = "") -> Attribution:
    return Attribution(Cause.REVISION, service, revision, 0.9, "because", 0.0, 0.0, withdrawn=withdrawn)


def other(cause: Cause) -> Attribution:
    return Attribution(cause, "", "", 0.9, "because", 0.0, 0.0)


def episode(truth: Truth = GUILTY, signals: list[Signal] | None = None) -> Episode:
    return Episode("unit", 1, signals or [], truth, 100.0, frozenset(), 0.0, 300.0, 1)


def result(
    *, guilty: bool = True, blamed: bool = True, right: bool = True, innocent: int = 0, detect_s: float = 30.0
) -> Result:
    return Result("unit", 1, guilty, blamed, right, innocent, detect_s if right else None, Cause.REVISION, right)


# the simulator


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_seed_plays_the_same_episode_and_another_seed_another(name: str) -> None:
    again = play(name, SCENARIOS[name], 1)

    assert again.signals == played(name, 1).signals
    assert again.truth == played(name, 1).truth
    assert again.signals != played(name, 2).signals


@pytest.mark.parametrize("name", SCENARIOS)
def test_signals_arrive_in_order_within_the_episode(name: str) -> None:
    one = played(name, 1)

    arrivals = [signal.rt for signal in one.signals]

    assert arrivals == sorted(arrivals)
    assert arrivals[-1] <= one.end_s
    assert 200 < len(arrivals) < 100_000


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_guilty_revision_was_deployed_and_its_errors_show_when_the_truth_says(name: str) -> None:
    for one in (played(name, seed) for seed in range(3) if played(name, seed).truth.revision):
        deploys = [s for s in one.signals if isinstance(s, Deploy) and s.revision == one.truth.revision]
        assert len(deploys) == 1
        assert one.onset_s > deploys[0].t - 30  # a start-up fails before its deploy is announced
        assert (one.truth.service, one.truth.revision) not in one.innocent


@pytest.mark.parametrize("name", SCENARIOS)
def test_an_episode_without_a_guilty_revision_blames_none_and_has_a_cause_in_sight(name: str) -> None:
    for one in (played(name, seed) for seed in range(3) if not played(name, seed).truth.revision):
        assert one.truth.cause is not Cause.REVISION
        assert (one.onset_s > 0) == (one.truth.cause is not Cause.NONE)
        changes = [s.t for s in one.signals if isinstance(s, Config)]
        assert bool(changes) == (one.truth.cause is Cause.CONFIG)
        assert all(change < one.onset_s for change in changes)


def test_an_outage_fails_services_and_revisions_that_nobody_deployed() -> None:
    one = played("outage-beside-canary", 2)

    canary = next(s for s in reversed(one.signals) if isinstance(s, Deploy) and s.traffic < 100)
    failing = {s.revision for s in one.signals if isinstance(s, Log) and s.t >= one.onset_s and _failed(s)}

    assert canary.prev in failing


def test_a_guilty_callee_that_answers_nonsense_logs_no_error_itself() -> None:
    one = played("guilty-callee", 1)

    complaining = {
        s.service for s in one.signals if isinstance(s, Log) and one.truth.service in (s.message or "") and _failed(s)
    }

    assert complaining
    assert one.truth.service not in complaining


def test_counts_add_up_to_the_request_log_where_every_request_is_logged() -> None:
    one = next(one for seed in range(99) if _tells_all(one := played("quiet-deploys", seed)))
    until = max(s.t for s in one.signals if isinstance(s, Requests)) - 240

    counted = sum(s.count for s in one.signals if isinstance(s, Requests) and s.t <= until)
    ids = {s.insert_id for s in one.signals if isinstance(s, Log) and s.status is not None and s.t <= until}

    assert counted == pytest.approx(len(ids), rel=0.02, abs=5)  # clock skew moves some over the edge


def _tells_all(one: Episode) -> bool:
    fine = any(isinstance(s, Log) and s.status == 200 for s in one.signals)
    return fine and any(isinstance(s, Requests) for s in one.signals)


def _failed(log: Log) -> bool:
    return log.severity == "ERROR" or (log.status or 0) >= 500


def test_a_recorded_episode_is_what_other_tools_read() -> None:
    one = played("bad-canary", 2)

    written = [msgspec.json.decode(line) for line in lines(one)]

    assert written[0] == {"kind": "reset", "episode": "bad-canary/2"}
    assert written[-1]["kind"] == "tick"
    assert {line["kind"] for line in written} <= {"reset", "deploy", "config", "log", "request_count", "tick"}
    assert [line["rt"] for line in written[1:]] == sorted(line["rt"] for line in written[1:])
    assert all("class" in line for line in written if line["kind"] == "request_count")


# scoring


def test_the_first_blame_counts_and_a_later_right_one_does_not_repair_it() -> None:
    scored = judge(episode(), [(110.0, blame("cart", "cart-9")), (120.0, blame("auth", "auth-2"))])

    assert (scored.blamed, scored.right, scored.innocent, scored.detect_s) == (True, False, 1, None)


def test_a_right_blame_is_timed_from_the_first_guilty_error() -> None:
    scored = judge(
        episode(), [(120.0, other(Cause.NONE)), (140.0, blame("auth", "auth-2")), (150.0, blame("auth", "auth-2"))]
    )

    assert (scored.right, scored.innocent, scored.detect_s, scored.known) == (True, 0, 40.0, True)


def test_a_blame_before_the_first_guilty_error_is_luck_and_not_right() -> None:
    scored = judge(episode(), [(90.0, blame("auth", "auth-2"))])

    assert (scored.blamed, scored.right, scored.innocent) == (True, False, 0)


def test_the_first_cause_said_is_the_one_that_is_judged_and_silence_is_none() -> None:
    outage = episode(Truth(Cause.DEPENDENCY))

    assert judge(outage, [(120.0, other(Cause.DEPENDENCY)), (130.0, blame("auth", "auth-2"))]).known
    assert not judge(outage, [(120.0, blame("auth", "auth-2")), (130.0, other(Cause.DEPENDENCY))]).known
    assert not judge(outage, []).known
    assert judge(episode(Truth(Cause.NONE)), []).known


class Withdrawing:
    def feed(self, signal: Signal) -> None:
        pass

    def tick(self, now: float) -> list[Attribution]:
        return [blame("auth", "auth-2", withdrawn="it began before")] if now > 100 else []


def test_a_withdrawal_is_not_a_blame() -> None:
    assert listen(episode(), Withdrawing()) == []


class Counting:
    def __init__(self) -> None:
        self.seen: list[str] = []

    def feed(self, signal: Signal) -> None:
        self.seen.append(f"fed {signal.rt:g}")

    def tick(self, now: float) -> list[Attribution]:
        self.seen.append(f"tick {now:g}")
        return []


def test_a_tick_comes_after_what_arrived_by_then() -> None:
    answerer = Counting()

    listen(episode(signals=[Config(1, 4, "a"), Config(1, 10, "a"), Config(1, 11, "a")]), answerer)

    assert answerer.seen[:5] == ["fed 4", "fed 10", "tick 10", "fed 11", "tick 20"]


def test_scores_add_up_over_episodes() -> None:
    score = add_up(
        [
            result(detect_s=20),
            result(detect_s=200),
            result(right=False, innocent=2),
            result(blamed=False, right=False),
            result(guilty=False, blamed=False, right=False),
        ]
    )

    assert (score.episodes, score.guilty) == (5, 4)
    assert score.precision == pytest.approx(2 / 3)
    assert score.recall == 0.5
    assert score.innocent == 0.4
    assert (score.p50_s, score.p90_s) == (20, 200)


def test_ratios_of_nothing_are_unknown_and_no_episodes_are_refused() -> None:
    quiet = add_up([result(guilty=False, blamed=False, right=False)])

    assert (quiet.precision, quiet.recall, quiet.p50_s) == (None, None, None)
    assert quantile([], 0.5) is None
    with pytest.raises(ValueError, match="no episodes"):
        add_up([])


def test_missed_goals_name_the_scenario_that_blames_innocents() -> None:
    good = add_up([result()])
    bad = add_up([result(innocent=1)])

    assert missed(good, {"a": good}) == []
    assert missed(good, {"a": good, "b": bad}) == ["b: 1.000 innocent revisions blamed per episode, the goal 0.05"]
    assert missed(add_up([result(detect_s=60)]), {}) == ["all: time to detect p50 is 60, the goal 45"]


# who is asked


@pytest.mark.parametrize("name", BASELINES)
def test_each_baseline_finds_some_bad_revisions_and_falls_for_some_innocent_ones(name: str) -> None:
    results = [
        judge(one, listen(one, BASELINES[name]()))
        for scenario in ("bad-revision", "cured-by-rollback", "cold-starts", "outage-beside-canary")
        for one in (played(scenario, seed) for seed in range(4))
    ]

    assert any(one.right for one in results)
    assert any(one.innocent for one in results)


SMOKE = range(1000, 1002)  # not the seeds of the full run


def test_the_engine_keeps_the_goals_on_a_few_seeds_of_every_scenario() -> None:
    results = [found for name in SCENARIOS for seed in SMOKE for _, found in run((name, seed, (True, False)))]

    wrong = [f"{one.scenario}/{one.seed}" for one in results if one.guilty and not one.right]
    innocent = [f"{one.scenario}/{one.seed}" for one in results if one.innocent]
    unknown = [f"{one.scenario}/{one.seed} {one.cause}" for one in results if not one.known]
    p50_s = add_up(results).p50_s

    assert len(wrong) <= 1, (
        wrong
    )  # one slip in so few is no evidence against the goals; the full run is `make evaluate`
    assert len(innocent) <= 1, innocent
    assert len(unknown) <= 3, unknown
    assert p50_s is not None
    assert p50_s <= 60
