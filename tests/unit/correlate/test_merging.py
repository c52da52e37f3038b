"""Counting a log in parts comes to the same as counting it at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot.correlate.grouping import MAX_GROUPS, OTHER, group
from bot.correlate.merging import kept, merged
from bot.model.evidence import ErrorGroup, LogEntry, LogKind

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = ("alpha", "beta", "gamma", "delta", "epsilon")


def entries(words: list[str]) -> list[LogEntry]:
    return [
        LogEntry(str(n), LogKind.STDERR, NOON + timedelta(seconds=10 * n), "r-1", severity=500, text=f"{word} failed")
        for n, word in enumerate(words)
    ]


@given(st.lists(st.sampled_from(WORDS), max_size=30), st.integers(0, 30))
def test_two_parts_of_a_log_count_as_the_whole(words: list[str], cut: int) -> None:
    whole = entries(words)

    together = merged(group(whole[:cut]), group(whole[cut:]))

    def shape(groups):
        return [(g.fingerprint, g.count, g.first_seen, g.last_seen) for g in groups]

    assert shape(together) == shape(group(whole))


def test_a_flood_of_different_errors_stays_bounded_and_exactly_counted() -> None:
    names = [f"{a}{b} {c} broke" for a in WORDS for b in WORDS for c in [chr(97 + n) * 3 for n in range(20)]]
    first, second = entries(names[:250]), entries(names[250:])

    together = merged(group(first), group(second))

    assert len(together) <= MAX_GROUPS
    assert sum(g.count for g in together) == len(names)
    assert any(g.fingerprint == OTHER for g in together)


def test_what_is_kept_of_groups_is_bounded_and_cuts_no_secret_in_half():
    secret = f"password=hunter2-{'x' * 40}"
    sample = f"{'y' * 180} {secret} {'z' * 8_000}"
    flood = [ErrorGroup(f"v1:{number:03}", "failed", 1, NOON, NOON, sample) for number in range(200)]

    stored = kept(flood)

    assert [group.fingerprint for group in stored] == [group.fingerprint for group in flood]
    assert sum(len(group.sample) for group in stored) <= 5 * 4_000 + 195 * 300
    assert not any("hunter2" in group.sample for group in stored)
    assert kept(stored) == stored
