"""Reading a JUnit file of 100,000 cases: seconds of one core and peak memory, each in a process of its own.

junitparser, which builds a tree, reads the same file for comparison; it is what the tests use as an oracle.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.table import Table

_CASES = 100_000
_FAILING = 50  # one case in so many fails, with a traceback
_ROOT = Path(__file__).parents[2]

_MEASURE = """
import json, resource, sys, time
{setup}
started = time.process_time()
count = {count}
seconds = time.process_time() - started
print(json.dumps([count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss]))
"""
_OURS = (
    "from bot.reports import judge, read",
    "(lambda report: (judge(report), report.totals.tests)[1])(read(open(sys.argv[1], 'rb')))",
)
_THEIRS = ("from junitparser import JUnitXml", "sum(1 for suite in JUnitXml.fromfile(sys.argv[1]) for _ in suite)")
_NOTHING = ("from bot.reports import read", "0")


def measure() -> Table:
    """Writes the file, reads it with both."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        with report.open("w", encoding="utf-8") as out:
            out.writelines(_lines())
        size = report.stat().st_size
        runs = {"bot.reports": _run(report, _OURS), "junitparser": _run(report, _THEIRS)}
        idle = _run(report, _NOTHING)
    rows = tuple(
        (name, f"{seconds:.2f} s", f"{count / seconds:,.0f}/s", f"{peak / 1024:,.0f} MiB")
        for name, (count, seconds, peak) in runs.items()
    )
    notes = (
        f"{_CASES:,} cases in the form pytest writes, {size / 1_000_000:.1f} MB, one in {_FAILING} failing with a traceback.",
        "Processor time of one core; peak resident memory of the whole process, Python and modules included.",
        f"The same process without reading anything: {idle[2] / 1024:,.0f} MiB.",
        "Ours with verdict, node ids, culprits and what is kept of failures; junitparser's tree, only counted.",
    )
    return Table("Test reports", ("reader", "time", "cases", "peak memory"), rows, notes)


def _lines() -> list[str]:
    trace = "def test_sums():\n&gt;       assert total() == 4\nE       assert 3 == 4\n\n" * 5
    lines = [f'<?xml version="1.0" encoding="utf-8"?><testsuites><testsuite name="pytest" tests="{_CASES}">\n']
    for at in range(_CASES):
        head = f'<testcase classname="tests.shop.test_cart_{at // 500}.TestTotals" name="test_sums[{at}]" time="0.012"'
        failure = f'<failure message="assert 3 == 4">{trace}tests/shop/test_cart.py:9: AssertionError</failure>'
        lines.append(f"{head}/>\n" if at % _FAILING else f"{head}>{failure}</testcase>\n")
    return [*lines, "</testsuite></testsuites>\n"]


def _run(report: Path, what: tuple[str, str]) -> tuple[int, float, int]:
    """Cases counted, seconds of processor time, peak memory in KiB (as Linux tells it)."""
    setup, count = what
    code = _MEASURE.format(setup=setup, count=count)
    ran = subprocess.run(
        [sys.executable, "-c", code, str(report)], check=True, capture_output=True, text=True, cwd=_ROOT
    )
    counted, seconds, peak = json.loads(ran.stdout)
    return counted, seconds, peak
