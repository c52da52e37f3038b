"""pytest's own output: `--collect-only` (plain, -q, -qq), and the summary of a run where there is no better report.

Read line by line: a name of a test while pytest lists them, then sections (errors, warnings, summary), then the last
line with the totals. An output without its last line is told as unfinished.
"""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

from bot.model.test_run import Case, Declared, Failure, Outcome, TestReport, Totals
from bot.reports.reader import Limits, Unreadable
from bot.reports.summary_line import Summary, read_summary
from bot.reports.tally import Clipped, Tally, failure_of

_CHUNK = 65_536
_MAX_LINE = 4_000
_SAID = 16  # times the characters of one traceback

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ")  # some CI systems put the time before lines
_NODE = re.compile(
    r"^(?!(?:FAILED|ERROR|PASSED|SKIPPED|XFAIL|XPASS|INTERNALERROR>|E|>)[ :])[^\s:<][^:\n]*\.\w{1,8}::\S.*$"
)
_RESULT = re.compile(
    r"^(?P<node>.+?::.+?) (?P<word>PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)(?: \(.*\))?(?:\s+\[ *\d+%\])?$"
)
_PER_FILE = re.compile(r"^[^\s:<][^:\n]*\.\w{1,8}: (?P<count>\d{1,9})$")
_TREE = re.compile(r"^(?P<indent> *)<(?P<kind>[A-Z]\w*) (?P<name>.+)>$")
_SECTION = re.compile(r"^=+ (?P<title>.+?) =+$")
_PART = re.compile(r"^_{3,} (?P<title>.+?) _{3,}$")
_COLLECTING = re.compile(r"^ERROR collecting (?P<module>.+)$")
_HEADER = re.compile(r"^collected (?P<count>\d+) items?")
_SHORT = re.compile(
    r"^(?:SUB(?=F))?(?P<word>FAILED|ERROR)(?:[\[(].{0,200}?[\])])? (?P<node>\S.*?)(?: - (?P<message>.*))?$"
)
_WARNING = re.compile(r"^\s+\S.*?:\d+: (?P<category>\w*Warning): ")
_LISTING = frozenset({"", "test session starts"})
_SIGNS = re.compile(
    r"^=+ test session starts =+$|^collected \d+ items?|^INTERNALERROR> |^ERROR: (?:not found|file or directory not found|usage)"
    r"|^(?:ImportError|ConftestImportFailure)[^\n]{0,40} conftest|: error: (?:unrecognized arguments|argument )|^_+ ERROR collecting "
    r"|^(?:=+ )?(?:no tests|\d+(?:/\d+)? tests?) collected|^(?:=+ )?(?:no tests ran|\d+ (?:passed|failed|errors?|skipped|deselected)\b[^\n]*) in "
    r"|^[^\s:<>{][^:\n]*\.py(?:::\S|: \d+$)|^!+ [^\n]+ !+$|^=+ (?:ERRORS|FAILURES|short test summary info) =+$|^ERROR: [^\n]*pytest",
    re.MULTILINE,
)
_CONTAINERS = frozenset(
    {"Session", "Package", "Dir", "Module", "Class", "Instance", "UnitTestCase", "DoctestModule", "DoctestTextfile"}
)
_OUTCOMES = {
    "PASSED": Outcome.PASSED,
    "XPASS": Outcome.PASSED,
    "FAILED": Outcome.FAILED,
    "ERROR": Outcome.ERROR,
    "SKIPPED": Outcome.SKIPPED,
    "XFAIL": Outcome.SKIPPED,
}


class _Scan:
    """What has been read so far."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.tally = limits, Tally(limits)
        self.said = Clipped(limits.text * _SAID)
        self.summary: Summary | None = None
        self.warnings: Counter[str] = Counter()
        self.header_count: int | None = None
        self.per_file = 0
        self.failures: list[Failure] = []
        self.red = 0
        self._section = ""
        self._module = ""
        self._text: Clipped | None = None
        self._tree: list[tuple[int, str, str]] = []

    def line(self, line: str) -> None:
        if self._section in _LISTING and self._listed(line):
            return
        self.said.add(f"{line}\n")
        if summary := read_summary(line):
            self.close_part()
            self.summary = summary
        elif line.startswith("=") and (match := _SECTION.match(line)):
            self.close_part()
            self._section = match["title"]
        elif line.startswith("_") and (match := _PART.match(line)):
            self.close_part()
            self._open_part(match["title"])
        elif line.startswith("!!!"):
            self.close_part()
        elif self._text is not None:
            self._text.add(f"{line}\n")
        elif match := _HEADER.match(line):
            self.header_count = int(match["count"])
        elif self._section == "short test summary info":
            self._short(line)
        elif match := _WARNING.match(line):
            self.warnings[match["category"]] += 1

    def close_part(self) -> None:
        if self._text is not None and self._module:
            self.tally.lose(self._module, str(self._text))
        self._text, self._module = None, ""

    def _open_part(self, title: str) -> None:
        collecting = _COLLECTING.match(title)
        self._module = collecting["module"] if collecting else ""
        self._text = Clipped(self.limits.text)

    def _listed(self, line: str) -> bool:
        """Whether the line names tests."""
        if match := _TREE.match(line):
            self._branch(len(match["indent"]), match["kind"], match["name"])
            return True
        if not _NODE.match(line):
            if match := _PER_FILE.match(line):
                self.per_file += int(match["count"])
            return bool(match)
        if match := _RESULT.match(line):
            self.tally.add(Case(match["node"], _OUTCOMES[match["word"]]))
        else:
            self.tally.add(Case(line, Outcome.COLLECTED))
        return True

    def _branch(self, indent: int, kind: str, name: str) -> None:
        while self._tree and self._tree[-1][0] >= indent:
            self._tree.pop()
        if kind in _CONTAINERS:
            self._tree.append((indent, kind, name))
            return
        folders = [part for _, of, part in self._tree if of in {"Dir", "Package"}]
        root = bool(self._tree) and self._tree[0][1] == "Dir"  # since pytest 8 the first folder is the rootdir itself
        inside = [part for _, of, part in self._tree if of in {"Class", "UnitTestCase"}]
        module = [part for _, of, part in self._tree if of in {"Module", "DoctestModule", "DoctestTextfile"}]
        path = "/".join([*folders[root:], *module])
        self.tally.add(Case("::".join(part for part in (path, *inside, name) if part), Outcome.COLLECTED))

    def _short(self, line: str) -> None:
        match = _SHORT.match(line)
        if match is None or "::" not in match["node"]:
            return
        self.red += 1
        if len(self.failures) < self.limits.failures:
            case = Case(match["node"], _OUTCOMES[match["word"]])
            self.failures.append(failure_of(case, match["message"] or "", "", match["node"].partition("::")[0]))


class CollectOnly:
    """Reader of pytest's output."""

    name = "pytest-collect-only"

    def recognises(self, head: bytes) -> bool:
        text = _COLOUR.sub("", "\n".join(_STAMP.sub("", line) for line in _decoded(head).splitlines()))
        return bool(_SIGNS.search(text))

    def read(self, stream: BinaryIO, limits: Limits) -> TestReport:
        scan = _Scan(limits)
        for line in _lines(stream):
            scan.line(line)
        scan.close_part()
        return _report(scan)


def _decoded(head: bytes) -> str:
    return head.decode(_encoding(head), errors="replace")


def _encoding(head: bytes) -> str:
    """UTF-8, unless the file begins as a redirection of Windows PowerShell does."""
    return "utf-16" if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def _lines(stream: BinaryIO) -> Iterator[str]:
    """Lines without colours; bytes that are no text are replaced, as tests may print anything.

    Raises:
        Unreadable: a NUL byte: not a text at all.
    """
    chunk = stream.read(_CHUNK)
    decoder = codecs.getincrementaldecoder(_encoding(chunk))(errors="replace")
    rest, number = "", 0
    while chunk or rest:
        text = decoder.decode(chunk, final=not chunk)
        lines = (rest + text).split("\n")
        rest = lines.pop() if chunk else ""
        if len(rest) > _MAX_LINE:
            lines.append(rest)
            rest = ""
        for line in lines:
            number += 1
            if "\0" in line:
                raise Unreadable(f"line {number}: a NUL byte; this is not a text")
            yield _STAMP.sub("", _COLOUR.sub("", line[:_MAX_LINE].rstrip("\r")))
        chunk = stream.read(_CHUNK) if chunk else b""


def _report(scan: _Scan) -> TestReport:
    summary = scan.summary or Summary()
    listed = scan.tally.size or scan.per_file
    report = scan.tally.report("pytest-collect-only")
    totals = report.totals
    ran = summary.ran or totals.passed + totals.failed + totals.skipped
    if summary.ran and not totals.passed + totals.failed + totals.skipped:
        totals = Totals(summary.ran_tests, summary.passed, summary.failed, summary.errors, summary.skipped)
    elif not ran:
        totals = Totals(tests=listed, errors=max(summary.errors, report.modules_lost))
    if listed and not ran:
        collected = listed
    elif summary.collected is not None:
        collected = summary.collected
    elif scan.header_count is not None:
        collected = scan.header_count - (summary.deselected or 0)
    else:
        collected = totals.tests - totals.errors
    return scan.tally.report(
        "pytest-collect-only",
        dialect="pytest",
        totals=totals,
        declared=Declared(tests=summary.collected) if scan.tally.size and not ran else Declared(),
        collected=max(collected, 0),
        deselected=summary.deselected,
        duration_s=summary.seconds,
        warnings=dict(scan.warnings),
        failures=tuple(scan.failures),
        failures_left_out=scan.red - len(scan.failures),
        modules_lost=max(report.modules_lost, summary.errors if not ran else 0),
        said=str(scan.said),
        finished=scan.summary is not None or bool(scan.per_file),
    )
