"""JUnit XML in the dialects of ten runners, streamed: no element outlives its end tag.

defusedxml's parser feeds a target of ours instead of building a tree: what `iterparse` would hold (the text of one
`system-out` may be all of a file) is dropped as it comes, and only failures keep text, clipped. DTDs, entities and
external references are refused.

What counts: each `testcase` once. `failure` before `error` before `skipped` where it has several (Catch2). Surefire's
`flakyFailure`/`flakyError` passed in the end, `rerunFailure`/`rerunError` come with the `failure` that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException, DTDForbidden
from defusedxml.ElementTree import DefusedXMLParser

from bot.model.test_run import Case, Declared, Failure, Outcome, TestReport
from bot.reports import dialects, numbers
from bot.reports.reader import Limits, Unreadable
from bot.reports.tally import Clipped, Tally, failure_of

_CHUNK = 65_536
_UTF16 = (b"\xff\xfe<", b"\xfe\xff\0<", b"<\0", b"\0<")

_OUTCOMES = {"failure": Outcome.FAILED, "error": Outcome.ERROR, "skipped": Outcome.SKIPPED}
_RANK = ("failure", "error", "skipped")
_FLAKY = frozenset({"flakyFailure", "flakyError"})
_STATUS = {
    "failed": Outcome.FAILED,
    "failure": Outcome.FAILED,
    "error": Outcome.ERROR,
    "skipped": Outcome.SKIPPED,
    "notrun": Outcome.SKIPPED,
    "disabled": Outcome.SKIPPED,
    "ignored": Outcome.SKIPPED,
    "pending": Outcome.SKIPPED,
    "suppressed": Outcome.SKIPPED,
}
_OTHER_ROOTS = {
    "assemblies": "xUnit.net's own format",
    "assembly": "xUnit.net's own format",
    "test-run": "NUnit's format",
    "test-results": "NUnit's format",
    "testrun": "Visual Studio's TRX",
    "html": "a web page",
    "coverage": "a coverage report",
    "testng-results": "TestNG's own format",
    "checkstyle": "a Checkstyle report",
}


@dataclass
class _Suite:
    """What one `testsuite` states, or else what those inside it state together."""

    stated: dict[str, int | None]
    inner: list[dict[str, int | None]] = field(default_factory=list)

    def totals(self) -> dict[str, int | None]:
        if self.stated["tests"] is not None or not self.inner:
            return self.stated
        return {key: _sum([inner[key] for inner in self.inner]) for key in self.stated}


def _sum(parts: list[int | None]) -> int | None:
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


@dataclass
class _Open:
    """The `testcase` being read."""

    attributes: Mapping[str, str]
    line: int
    kind: str = ""
    message: str = ""
    text: Clipped | None = None
    flaky: bool = False


class _Target:
    """What the parser calls. `depth` counts open elements."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.tally = limits, Tally(limits)
        self.dialect, self.depth, self.outside = "", 0, 0
        self.duration_s: float | None = None
        self.line: Callable[[], int] = lambda: 0
        self.declared: dict[str, int | None] = {}
        self._sum_durations = False
        self._suites: list[_Suite] = []
        self._case: _Open | None = None
        self._case_depth = 0
        self._text: Clipped | None = None
        self._text_depth = 0
        self._in_suite: set[str] = set()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        name = tag.rpartition("}")[2]
        if self.depth == 1 and name not in {"testsuites", "testsuite"}:
            raise Unreadable(f"not JUnit XML: {_other(name)}")
        if self.depth > self.limits.depth:
            raise Unreadable(f"line {self.line()}: elements nested more than {self.limits.depth} deep")
        if self._case is not None:
            if self.depth == self._case_depth + 1:
                self._start_result(self._case, name, attributes)
        elif name == "testcase":
            self._case, self._case_depth = _Open(attributes, self.line()), self.depth
        elif name in {"testsuite", "testsuites"}:
            self._start_suite(name, attributes)
        elif name == "property":
            self.dialect = self.dialect or dialects.of_property(attributes.get("name", ""))
        elif name in {"failure", "error"}:
            self.outside += 1

    def end(self, tag: str) -> None:
        if self._case is not None and self.depth == self._case_depth:
            self._end_case(self._case)
            self._case = None
        elif self._case is None and tag.rpartition("}")[2] in {"testsuite", "testsuites"}:
            self._end_suite()
        elif self.depth == self._text_depth:
            self._text, self._text_depth = None, 0
        self.depth -= 1

    def data(self, text: str) -> None:
        if self._text is not None:
            self._text.add(text)

    def report(self) -> TestReport:
        """Once the document has ended."""
        stated = self.declared
        return self.tally.report(
            "junit",
            dialect=self.dialect,
            declared=Declared(stated["tests"], stated["failed"], stated["errors"], stated["skipped"]),
            duration_s=self.duration_s,
            outside=self.outside,
        )

    def _start_suite(self, tag: str, attributes: Mapping[str, str]) -> None:
        self.dialect = self.dialect or dialects.of_suite(tag, attributes)
        where = f"line {self.line()}"
        stated = {
            "tests": numbers.count(attributes.get("tests"), where),
            "failed": numbers.count(attributes.get("failures"), where),
            "errors": numbers.count(attributes.get("errors"), where),
            "skipped": _stated_skipped(attributes, where),
        }
        duration = numbers.seconds(attributes.get("time"), where)
        if self.depth == 1:
            self.duration_s = duration
            self._sum_durations = duration is None
        elif self.depth == 2 and self._sum_durations and duration is not None:
            self.duration_s = (self.duration_s or 0.0) + duration
        self._suites.append(_Suite(stated))
        self._in_suite = set()

    def _end_suite(self) -> None:
        totals = self._suites.pop().totals()
        if self._suites:
            self._suites[-1].inner.append(totals)
        else:
            self.declared = totals

    def _start_result(self, case: _Open, kind: str, attributes: Mapping[str, str]) -> None:
        """`failure`, `error`, `skipped` or one of Surefire's, directly inside a case."""
        case.flaky = case.flaky or kind in _FLAKY
        if kind not in _OUTCOMES or (case.kind and _RANK.index(case.kind) <= _RANK.index(kind)):
            return
        case.kind, case.message = kind, attributes.get("message") or attributes.get("type") or ""
        case.text = self._text = Clipped(self.limits.text)
        self._text_depth = self.depth

    def _end_case(self, opened: _Open) -> None:
        attributes = opened.attributes
        self.dialect = self.dialect or dialects.of_case(attributes)
        message, text = opened.message[: self.limits.text], str(opened.text or "")
        lost = dialects.lost_module(self.dialect, attributes, opened.kind, message, text)
        outcome = _OUTCOMES.get(opened.kind) or _stated_outcome(attributes)
        case = Case(
            node_id=dialects.node_id(dialects.PYTEST if lost and not self.dialect else self.dialect, attributes),
            outcome=outcome,
            duration_s=numbers.seconds(attributes.get("time"), f"line {opened.line}"),
            flaky=opened.flaky and outcome is Outcome.PASSED,
        )
        if self.dialect == dialects.PYTEST:
            self._refuse_twice(case, opened.line)

        def failure() -> Failure:
            line = numbers.count(attributes.get("line"), f"line {opened.line}") or 0
            return failure_of(case, message, text, attributes.get("file", ""), line)

        self.tally.add(case, failure, lost=case.node_id if lost else None)
        if outcome is Outcome.SKIPPED:
            self.tally.note(message or text)
        if dialects.left_out(opened.kind, message):
            self.tally.uncollected()

    def _refuse_twice(self, case: Case, line: int) -> None:
        """Pytest names each test once in a suite, and once more only as an error, when its clean-up breaks as well.

        Others repeat names for good reasons: reruns of gotestsum, equal titles in Jest.
        """
        if case.node_id in self._in_suite and case.outcome is not Outcome.ERROR:
            raise Unreadable(f"line {line}: duplicate node id {case.node_id[:200]!r}")
        self._in_suite.add(case.node_id)


def _stated_skipped(attributes: Mapping[str, str], where: str) -> int | None:
    """`skipped`, or the words of others for it: they are added up, as a file uses several for different things."""
    found = [numbers.count(attributes.get(key), where) for key in ("skipped", "skip", "disabled", "ignored")]
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def _stated_outcome(attributes: Mapping[str, str]) -> Outcome:
    """For a case without a result element: what its attributes say, passed when they say nothing."""
    for key in ("status", "result"):
        if found := _STATUS.get(attributes.get(key, "").lower()):
            return found
    return Outcome.PASSED


def _other(root: str) -> str:
    known = _OTHER_ROOTS.get(root.lower())
    return f"the root element is <{root[:60]}>{f', {known}' if known else ''}"


class JUnit:
    """Reader of JUnit XML."""

    name = "junit"

    def recognises(self, head: bytes) -> bool:
        return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<") or head.startswith(_UTF16)

    def read(self, stream: BinaryIO, limits: Limits) -> TestReport:
        target = _Target(limits)
        parser = DefusedXMLParser(target=target, forbid_dtd=True)
        expat = parser.parser
        target.line = lambda: expat.CurrentLineNumber
        try:
            _feed(parser, stream, limits)
            parser.close()
        except ParseError as error:
            raise Unreadable(f"not well-formed XML: {error}") from error
        except DTDForbidden as error:
            raise Unreadable(f"line {expat.CurrentLineNumber}: a DTD (<!DOCTYPE …>), which is refused") from error
        except DefusedXmlException as error:
            raise Unreadable(f"line {expat.CurrentLineNumber}: an entity or external reference, refused") from error
        except (LookupError, ValueError) as error:  # an encoding that Python does not know, or expat cannot use
            raise Unreadable(f"line {expat.CurrentLineNumber}: cannot be decoded: {error}") from error
        return target.report()


def _feed(parser: DefusedXMLParser, stream: BinaryIO, limits: Limits) -> None:
    """All of the stream, in chunks; refuses a tag that does not end, which older expat reads again and again."""
    fed, leading = 0, True
    while chunk := stream.read(_CHUNK):
        if leading and not (chunk := chunk.lstrip(b" \t\r\n")):
            continue
        leading = False
        parser.feed(chunk)
        fed += len(chunk)
        if fed - max(parser.parser.CurrentByteIndex, 0) > limits.token:
            line = parser.parser.CurrentLineNumber
            raise Unreadable(f"line {line}: a tag, attribute or comment longer than {limits.token:,} bytes")
