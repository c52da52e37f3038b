"""Generated suites: what is written is what is read, and junitparser, which builds a tree, counts the same."""

from __future__ import annotations

import io
import json
from collections import Counter
from xml.sax.saxutils import quoteattr

from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import JUnitXml
from junitparser import TestSuite as Suite

from bot.model.test_run import Outcome, RunVerdict
from bot.reports import Unreadable, judge, read

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), max_size=20
)
KINDS = st.sampled_from(("passed", "failure", "error", "skipped"))
SUITES = st.recursive(
    st.lists(st.tuples(TEXT, KINDS), max_size=4),
    lambda inner: st.lists(st.one_of(st.tuples(TEXT, KINDS), inner), max_size=4),
    max_leaves=20,
)
OUTCOMES = {"passed": Outcome.PASSED, "failure": Outcome.FAILED, "error": Outcome.ERROR, "skipped": Outcome.SKIPPED}


def written(suite: list) -> str:
    """A suite with all that is in it, as XML without totals."""
    parts = []
    for part in suite:
        if isinstance(part, list):
            parts.append(written(part))
        else:
            name, kind = part
            inside = "" if kind == "passed" else f"<{kind} message={quoteattr(name)}>{'text'}</{kind}>"
            parts.append(f"<testcase classname='c' name={quoteattr(name)} time='0.5'>{inside}</testcase>")
    return f"<testsuite name='s'>{''.join(parts)}</testsuite>"


def leaves(suite: list) -> list[tuple[str, str]]:
    return [leaf for part in suite for leaf in (leaves(part) if isinstance(part, list) else [part])]


def counted_by_junitparser(suite: Suite) -> Counter[str]:
    """It goes into nested suites by itself."""
    counts: Counter[str] = Counter()
    for case in suite:
        kind = type(case.result[0]).__name__.lower() if case.result else "passed"
        counts[kind] += 1
    return counts


@given(SUITES)
@settings(max_examples=60, deadline=None)
def test_nested_suites_give_their_cases_in_order(suite: list) -> None:
    report = read(io.BytesIO(f"<testsuites>{written(suite)}</testsuites>".encode()))

    assert [case.outcome for case in report.cases] == [OUTCOMES[kind] for _, kind in leaves(suite)]
    assert report.collected == len(leaves(suite)) == report.totals.tests
    assert report.disagreement == ""


@given(SUITES)
@settings(max_examples=60, deadline=None)
def test_junitparser_counts_the_same(suite: list) -> None:
    xml = f"<testsuites>{written(suite)}</testsuites>"
    totals = read(io.BytesIO(xml.encode())).totals
    theirs = sum((counted_by_junitparser(one) for one in JUnitXml.fromstring(xml.encode())), Counter())

    ours = Counter(passed=totals.passed, failure=totals.failed, error=totals.errors, skipped=totals.skipped)
    assert ours == theirs


@given(SUITES)
@settings(max_examples=60, deadline=None)
def test_a_report_is_green_only_with_a_case_and_without_a_failure(suite: list) -> None:
    kinds = {kind for _, kind in leaves(suite)}
    verdict = judge(read(io.BytesIO(written(suite).encode()))).verdict

    assert (verdict == "passed") == bool(kinds and not kinds & {"failure", "error"})


@given(st.dictionaries(TEXT, st.sampled_from(("passed", "failed", "skipped")), max_size=8), st.booleans())
@settings(max_examples=60, deadline=None)
def test_json_reports_of_both_kinds_give_what_is_in_them(tests: dict[str, str], is_ctrf: bool) -> None:
    if is_ctrf:
        document = {"results": {"tests": [{"name": name, "status": outcome} for name, outcome in tests.items()]}}
    else:
        document = {"exitcode": 0, "tests": [{"nodeid": name, "outcome": outcome} for name, outcome in tests.items()]}

    report = read(io.BytesIO(json.dumps(document).encode()))

    assert [case.outcome.value for case in report.cases] == list(tests.values())


@given(st.one_of(st.binary(max_size=300), SUITES.map(lambda suite: written(suite).encode())), st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_bytes_are_read_or_refused_and_nothing_else(body: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(body)))
    damaged = body[:at] + data.draw(st.binary(max_size=3)) + body[at + data.draw(st.integers(0, 5)) :]

    try:
        verdict = judge(read(io.BytesIO(damaged))).verdict
    except Unreadable:
        verdict = RunVerdict.UNREADABLE

    assert verdict in RunVerdict
