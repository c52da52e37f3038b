"""What the suites said of a commit: runs joined to deploys by SHA. Pure.

Runs of one commit add up: a collection that worked does not mend the failures of an earlier run, failed tests that pass
when they are run again do, and a report that cannot be read takes back nothing but a green one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.decide.suites.quarantine import in_force, quarantined
from bot.model.catalog import Catalog, Suite
from bot.model.commit_tests import Said, SuiteWord
from bot.model.suite import RunScope, SuiteNews, TestRun
from bot.model.test_run import RunVerdict

SHORTEST = 7
"""Hexadecimal digits by which a commit is known at least: git's own shortest, and what labels of revisions often hold."""

NAMED = 5
"""Failed tests that are named of a suite."""

_SHA = re.compile(rf"[0-9a-f]{{{SHORTEST},64}}")
_WORST_FIRST = {said: rank for rank, said in enumerate(Said)}


def same_commit(one: str | None, other: str | None) -> bool:
    """Whether two SHAs, whole or the beginnings of one, mean one commit. What is no SHA of 7 digits or more means none."""
    left, right = (one or "").lower(), (other or "").lower()
    if not _SHA.fullmatch(left) or not _SHA.fullmatch(right):
        return False
    return left.startswith(right) or right.startswith(left)


def of_commit(news: Iterable[SuiteNews], commit: str) -> tuple[SuiteNews, ...]:
    """Those about this commit, in their order; () where its digits begin several commits and nobody can tell which."""
    found = [each for each in news if same_commit(each.run.commit, commit)]
    commits = {(each.run.commit or "").lower() for each in found}
    longest = max(commits, key=len, default="")
    return tuple(found) if all(longest.startswith(each) for each in commits) else ()


def guarding(catalog: Catalog, service_key: str) -> tuple[str, ...]:
    """Suites that guard a service: those it lists, then those that guard a journey which needs it; each once."""
    service = catalog.services.get(service_key)
    journeys = {key for key, _ in catalog.journeys_of(service_key)}
    others = [key for key, suite in catalog.suites.items() if journeys & set(suite.guards)]
    listed = [key for key in service.suites if key in catalog.suites] if service else []
    return tuple(dict.fromkeys((*listed, *others)))


def words_on(catalog: Catalog, service_key: str, commit: str, news: Sequence[SuiteNews]) -> tuple[SuiteWord, ...]:
    """What the suites that guard a service say of a commit, the worst first.

    A suite that the service lists is expected to have a run; one that only guards a journey of several services is told
    of where it has one: it may belong to another repository.

    Args:
        news: of any runs, in any order; those of other commits and suites are passed over.
    """
    about = of_commit(news, commit)
    service = catalog.services.get(service_key)
    found = []
    for key in guarding(catalog, service_key):
        word = _word(key, catalog.suites[key], [each for each in about if each.run.suite == key])
        if word is None and service is not None and key in service.suites:
            word = SuiteWord(key, Said.NO_RUN)
        if word is not None:
            found.append(word)
    return tuple(sorted(found, key=lambda word: (_WORST_FIRST[word.said], -word.failed)))


@dataclass
class _SoFar:
    """What the runs of a commit said so far; None: nothing of that kind."""

    lost: SuiteWord | None = None
    unreadable: SuiteWord | None = None
    ran: SuiteWord | None = None
    found: SuiteWord | None = None


def _word(key: str, suite: Suite, news: Sequence[SuiteNews]) -> SuiteWord | None:
    """What one suite says; None where it has no run that says anything."""
    so_far = _SoFar()
    for each in sorted(news, key=lambda each: (each.run.at, each.run.id)):
        _add(so_far, key, suite, each)
    failed = so_far.ran if so_far.ran is not None and so_far.ran.said is Said.FAILED else None
    word = so_far.lost or failed or so_far.unreadable or so_far.ran or so_far.found
    is_news = any(each.broke or each.raised or each.vanished or each.is_late for each in news)
    return replace(word, is_news=is_news) if word is not None else None


def _add(so_far: _SoFar, key: str, suite: Suite, news: SuiteNews) -> None:
    run = news.run
    if run.verdict is RunVerdict.UNREADABLE:
        so_far.unreadable = SuiteWord(key, Said.UNREADABLE, reason=run.reason, at=run.at)
    elif run.verdict is RunVerdict.DISCOVERY_FAILURE:
        so_far.lost = SuiteWord(key, Said.NOT_COLLECTED, reason=run.reason, at=run.at)
    elif run.verdict is not None:
        so_far.lost = so_far.unreadable = None
        if run.scope is RunScope.COLLECT:
            so_far.found = SuiteWord(key, Said.COLLECTED, total=run.collected, vanished=len(news.vanished), at=run.at)
        else:
            ran = _ran(key, suite, news)
            whole = so_far.ran.total if so_far.ran is not None and run.scope is RunScope.FAILED else 0
            so_far.ran = replace(ran, total=max(ran.total, whole))


def _ran(key: str, suite: Suite, news: SuiteNews) -> SuiteWord:
    run = news.run
    red, muted = _red(run), _muted(run, suite)
    passed = run.verdict is RunVerdict.PASSED or (0 < red == len(muted))
    return SuiteWord(
        key,
        Said.PASSED if passed else Said.FAILED,
        failed=0 if passed else red - len(muted),
        total=run.totals.tests or run.collected,
        tests=() if passed else tuple(test for test in run.failing if test not in muted)[:NAMED],
        muted=len(muted),
        vanished=len(news.vanished),
        reason="" if passed or red else run.reason,
        at=run.at,
    )


def _red(run: TestRun) -> int:
    return run.totals.failed + run.totals.errors


def _muted(run: TestRun, suite: Suite) -> tuple[str, ...]:
    rules = in_force(suite.quarantine, run.at)
    return tuple(test for test in run.failing if quarantined(test, rules) is not None)
