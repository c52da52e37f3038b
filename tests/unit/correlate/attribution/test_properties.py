"""What holds for every episode: duplicates, order, determinism, bounds."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.correlate.attribution import Attributor, Log, attribute
from bot.correlate.attribution import ledger as limits
from bot.correlate.attribution.ledger import Ledger

from .story import BUG, Story, calm


def _guilty() -> Story:
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1")
    return story.serve("auth", "auth-2", 600, 700, fails=0.5)


def test_entries_delivered_twice_change_nothing():
    once = _guilty()
    twice = Story([signal for signal in once.signals for _ in range(2)])

    assert twice.told(700) == once.told(700)


def test_the_order_of_arrival_within_a_tick_changes_nothing():
    story = _guilty()
    for signal in story.signals:
        signal.rt = signal.rt // 10 * 10 + 5
    shuffled = Story(random.Random(7).sample(story.signals, len(story.signals)))

    assert shuffled.told(700) == story.told(700)


def test_attribute_says_what_a_live_engine_would_have_said():
    story = _guilty()

    assert [said.revision for said in attribute(story.signals, 700)] == [one.revision for _, one in story.told(700)]


def test_attribute_of_nothing_is_nothing():
    assert attribute([], 100.0) == ()


def test_a_flood_of_services_revisions_and_messages_stays_within_bounds():
    ledger = Ledger()
    for number in range(4_000):
        words = f"{chr(97 + number % 26)}{chr(97 + number // 26 % 26)}{chr(97 + number // 676 % 26)} broke"
        ledger.take_log(Log(1, 1, f"s{number % 900}", f"r{number}", "ERROR", words, f"t{number}", f"a{number}"))
        ledger.take_log(Log(1, 1, "auth", f"r{number % 300}", "ERROR", words, "t", f"b{number}"))
        ledger.take_log(Log(1, 1, "one", "one-1", "ERROR", words, None, f"c{number}"))

    assert len(ledger.services) <= limits.MAX_SERVICES
    assert all(len(service.series) <= limits.MAX_REVISIONS for service in ledger.services.values())
    assert len(ledger.services["one"].series["one-1"].groups) <= limits.MAX_GROUPS + 1


def test_a_burst_is_counted_exactly():
    ledger = Ledger()
    for number in range(5_000):
        for _ in range(2):
            ledger.take_log(Log(1 + number / 1_000, 9, "auth", "auth-1", "ERROR", BUG, None, f"i{number}"))

    assert ledger.services["auth"].series["auth-1"].total == 5_000


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.builds(
            Log,
            t=st.floats(-1e9, 1e9),
            rt=st.floats(0, 1e4),
            service=st.sampled_from(["a", "b"]),
            revision=st.sampled_from([None, "", "r1", "r2"]),
            severity=st.sampled_from([None, "", "INFO", "ERROR", "nonsense"]),
            message=st.none() | st.text(max_size=40),
            trace=st.sampled_from([None, "", "t1", "t2"]),
            status=st.sampled_from([None, 0, 200, 404, 429, 503, 999]),
        ),
        max_size=60,
    )
)
def test_any_log_is_taken_and_judged(entries: list[Log]):
    engine = Attributor()
    for entry in entries:
        engine.feed(entry)

    assert isinstance(engine.tick(1e4), list)
