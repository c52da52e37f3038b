"""pytest looked at the right files and saw no tests in them: names, and a class with a constructor."""

from __future__ import annotations

import re

from bot.model.test_run import DiscoveryCause
from bot.reports.causes.cause import Evidence, line_with
from bot.reports.causes.paths import rootdir

_INIT = re.compile(
    r"cannot collect test class '?(?P<name>[\w.]+)'? because it has a (?P<which>__init__|__new__) constructor"
)
_NO_MATCH = re.compile(r"no match in any of|no name '[^'\n]+' in any of")


def class_with_init(evidence: Evidence) -> DiscoveryCause | None:
    if not (match := _INIT.search(evidence.report.said)):
        return None
    name, which = match["name"], match["which"]
    return DiscoveryCause(
        "class_with_init",
        f"test class {name} has an {which}, so pytest leaves it out",
        line_with(evidence.report.said, _INIT),
        f"remove {which} from {name} (use setup_method or a fixture), or rename it if it is no test",
        {"class": name},
    )


def names_do_not_match(evidence: Evidence) -> DiscoveryCause | None:
    """Only where somebody looked at the files: the output says nothing about what was not seen."""
    if evidence.report.collected or evidence.surroundings is None:
        return None
    misnamed = evidence.surroundings.misnamed()
    if not misnamed:
        return None
    place, option = misnamed[0]
    more = f" and {len(misnamed) - 1} more" if len(misnamed) > 1 else ""
    return DiscoveryCause(
        "names_do_not_match",
        f"{place}{more} looks like a test, but its name does not match {option}",
        rootdir(evidence.report.said),
        f"rename it (test_*.py, class Test…, def test_…), or change {option} in pytest's configuration",
        {"place": place, "option": option},
    )


def nothing_matched(evidence: Evidence) -> DiscoveryCause | None:
    """The last resort: pytest ran, looked, and found nothing to complain about."""
    report = evidence.report
    if report.collected or report.totals.tests or report.modules_lost or report.deselected:
        return None
    if report.format != "pytest-collect-only":
        return (
            DiscoveryCause(
                "nothing_matched",
                "the report does not say why",
                "",
                "run `pytest --collect-only -q` in the same place and send its output: it shows the cause",
            )
            if report.dialect == "pytest"
            else None
        )
    where = rootdir(report.said)
    return DiscoveryCause(
        "nothing_matched",
        f"nothing in {where or 'the folder where it ran'} looks like a test",
        line_with(report.said, re.compile(r"collected 0 items|no tests (?:collected|ran)")),
        "check the working directory and testpaths first, then whether names match python_files (test_*.py), python_classes "
        "(Test*) and python_functions (test_*)",
    )
