"""Was the commit red before anybody was served by it?"""

from __future__ import annotations

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote
from bot.model.commit_tests import Said, SuiteWord

_RED = 1.2  # e^1.2: of the commits that fail in service about three times as many had red tests as of the others
_NOT_COLLECTED = 0.7  # nothing was tried, which is how bad commits get through
_AS_BEFORE = 0.3  # it was red or lost before this commit, too
_GREEN = -0.2  # most bad deploys were green


def vote(case: Case, suspect: Suspect) -> Vote | None:
    words = case.known.tested.get(suspect.revision, ()) if suspect.cause is Cause.REVISION else ()
    weighed = [(weight, word) for word in words if (weight := _weight(word))]
    if not weighed:
        return None
    weight, word = max(weighed, key=lambda each: each[0])
    return Vote("suites", weight, _says(word))


def _weight(word: SuiteWord) -> float:
    """0 for what says nothing either way: no run, a report nobody can read, tests that were not run."""
    if word.said in {Said.FAILED, Said.NOT_COLLECTED} and not word.is_news:
        return _AS_BEFORE
    return {Said.FAILED: _RED, Said.NOT_COLLECTED: _NOT_COLLECTED, Said.PASSED: _GREEN}.get(word.said, 0.0)


def _says(word: SuiteWord) -> str:
    if word.said is Said.PASSED:
        return f"{word.suite} passed on its commit"
    before = "" if word.is_news else ", as it did before"
    if word.said is Said.NOT_COLLECTED:
        return f"{word.suite} did not find its tests on its commit{before}"
    first = f", first {word.tests[0]}" if word.tests else ""
    return f"{word.suite} failed on its commit ({word.failed:,} of {word.total:,} tests){before}{first}"
