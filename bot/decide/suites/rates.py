"""How often a suite's runs find their tests, and how often those pass, against what the catalog promises. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.model.test_run import RunVerdict

COLLECTION, PASS = "collection", "pass"
"""Names in the catalog: `targets: {collection: 1.0, pass: 0.9}`."""


@dataclass(frozen=True)
class Rate:
    """`good` of `total` runs; `target` 0–1, None where nothing is promised."""

    name: str
    good: int
    total: int
    target: float | None

    @property
    def ratio(self) -> float:
        """0–1; 1.0 without any run: nothing went wrong."""
        return self.good / self.total if self.total else 1.0

    @property
    def is_missed(self) -> bool:
        return self.target is not None and self.total > 0 and self.ratio < self.target


def rates(verdicts: Iterable[RunVerdict], targets: Mapping[str, float]) -> tuple[Rate, ...]:
    """Collection: runs that found their tests, of all runs. Pass: runs in which every test passed, of those that found
    their tests. () without any run. A run whose report cannot be read found nothing.
    """
    said = list(verdicts)
    if not said:
        return ()
    passed = said.count(RunVerdict.PASSED)
    found = passed + said.count(RunVerdict.FAILED)
    return (
        Rate(COLLECTION, found, len(said), targets.get(COLLECTION)),
        Rate(PASS, passed, found, targets.get(PASS)),
    )
