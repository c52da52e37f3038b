"""What the suites said of a commit, in the words of the card and of a deploy's lines. Here untrusted text becomes showable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from bot.model.commit_tests import CommitTests, Said, SuiteWord
from bot.notify.safe import line, moment, opening
from bot.notify.words import count, short

_SUITES, _TESTS = 3, 1
_NAME, _NODE, _REASON, _COMMIT = 80, 120, 160, 40
_DIGITS = 7


@dataclass(frozen=True)
class SuiteShown:
    """`e2e-staging failed (12 of 340)`, and the first of the tests."""

    said: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class WordsShown:
    """What the suites said of one commit, the worst first.

    Attributes:
        commit: seven digits; url: None without a repository. of: the service that was made of it, "" for the failing one.
        hidden: suites that are not named.
    """

    commit: str
    url: str | None
    of: str
    suites: tuple[SuiteShown, ...]
    hidden: int


def words_shown(tests: CommitTests, url: str | None = None, of: str = "") -> WordsShown:
    """Args: url: of the commit. of: the service that was made of it, where a reader would think of another."""
    return WordsShown(
        commit=line(tests.commit, _COMMIT)[:_DIGITS],
        url=url,
        of=line(of, _NAME),
        suites=tuple(map(_suite, tests.suites[:_SUITES])),
        hidden=max(0, len(tests.suites) - _SUITES),
    )


def _suite(word: SuiteWord) -> SuiteShown:
    return SuiteShown(f"{opening(word.suite, _NAME)} {_said(word)}", tuple(map(_node, word.tests[:_TESTS])))


def _said(word: SuiteWord) -> str:
    if word.said is Said.FAILED:
        counted = f" ({word.failed:,} of {word.total:,})" if word.failed else ""
        return f"failed{counted}{_reason(word)}{'' if word.is_news else ', as before it'}"
    if word.said is Said.PASSED:
        return f"passed ({', '.join(filter(None, [f'{word.total:,}', _muted(word), _vanished(word)]))})"
    return {
        Said.NOT_COLLECTED: f"did not find its tests{_reason(word)}{'' if word.is_news else ', as before it'}",
        Said.UNREADABLE: f"sent a report that cannot be read{_reason(word)}",
        Said.COLLECTED: f"was collected ({word.total:,}), not run",
        Said.NO_RUN: "has no run so far",
    }[word.said]


def _reason(word: SuiteWord) -> str:
    return f": {opening(word.reason, _REASON)}" if word.reason else ""


def _muted(word: SuiteWord) -> str:
    return f"{word.muted:,} in quarantine failed" if word.muted else ""


def _vanished(word: SuiteWord) -> str:
    return f"{count(word.vanished, 'test')} vanished" if word.vanished else ""


def _node(node_id: str) -> str:
    """The end of a node id tells tests apart: a long one loses its beginning."""
    said = line(node_id, 2_000)
    return said if len(said) <= _NODE else f"…{said[-_NODE + 1 :]}"


def deploy_tests(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """A deploy and what its suites said, as `bot.workflows.commit_tests` hands it over."""
    tests = msgspec.convert(context["tests"], CommitTests)
    deployed_at = moment(context["deployed_at"])
    return {
        "deploy": {
            "where": f"{context['service']} ({context['environment']})",
            "revision": short(tests.revision, context["service"]),
            "at": deployed_at,
            "is_bad": bool(tests.bad),
            "was_known": any(word.at is not None and word.at <= deployed_at for word in tests.bad),
            "tests": words_shown(tests, context["commit_url"]),
        }
    }


def quiet_tests(context: Mapping[str, Any]) -> WordsShown | None:
    """What the line of a healthy deploy says of its suites; None where nobody knows. The line links the commit itself."""
    told = context.get("tests")
    return words_shown(msgspec.convert(told, CommitTests)) if told else None
