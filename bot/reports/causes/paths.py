"""pytest looked in the wrong place: a path that is not there, another rootdir, testpaths that match nothing."""

from __future__ import annotations

import re

from bot.model.test_run import DiscoveryCause
from bot.reports.causes.cause import Evidence, line_with

_NO_FILE = re.compile(r"^ERROR: (?:file or directory not found|file not found): (?P<path>[^\n]+)$", re.MULTILINE)
_NO_TEST = re.compile(r"^ERROR: not found: (?P<node>[^\n]+)$", re.MULTILINE)
_TESTPATHS = re.compile(r"No files were found in testpaths")
_HEADER = re.compile(r"^testpaths: (?P<paths>[^\n]+)$", re.MULTILINE)
_ROOTDIR = re.compile(r"^rootdir: (?P<path>[^\n,]+)(?:, (?:configfile|inifile): (?P<config>\S+))?", re.MULTILINE)
_CONFIG = re.compile(r"^(?:configfile|inifile): (?!None)(?P<config>\S+)", re.MULTILINE)


def path_not_found(evidence: Evidence) -> DiscoveryCause | None:
    if not (match := _NO_FILE.search(evidence.report.said)):
        return None
    path = match["path"].strip()
    return DiscoveryCause(
        "wrong_directory",
        f"wrong working directory (rootdir): {path} does not exist where pytest ran",
        match[0],
        f"run pytest from the project's root (working-directory of the CI step), or correct the path {path}",
        {"path": path},
    )


def test_not_found(evidence: Evidence) -> DiscoveryCause | None:
    if not (match := _NO_TEST.search(evidence.report.said)):
        return None
    node = match["node"].strip()
    return DiscoveryCause(
        "no_such_test",
        f"{node} names a test that is not there",
        match[0],
        "it was renamed or removed, or does not match python_classes/python_functions: correct the name in the command",
        {"node": node},
    )


def testpaths_match_nothing(evidence: Evidence) -> DiscoveryCause | None:
    if evidence.report.collected or not (proof := line_with(evidence.report.said, _TESTPATHS)):
        return None
    header = _HEADER.search(evidence.report.said)
    named = f" ({header['paths'].strip()})" if header else ""
    return DiscoveryCause(
        "testpaths_match_nothing",
        f"testpaths{named} match no file",
        proof,
        "correct testpaths in pytest's configuration: they are relative to the rootdir",
    )


def wrong_directory(evidence: Evidence) -> DiscoveryCause | None:
    """Nothing was found here, and the tests are elsewhere in the project."""
    if evidence.report.collected or evidence.surroundings is None:
        return None
    elsewhere = evidence.surroundings.tests_elsewhere()
    if not elsewhere or not evidence.surroundings.directory:
        return None
    where = evidence.surroundings.directory
    return DiscoveryCause(
        "wrong_directory",
        f"wrong working directory (rootdir): pytest ran in {where}, {len(elsewhere)} test files are outside it ({elsewhere[0]})",
        rootdir(evidence.report.said),
        "run pytest from the project's root, or name the tests' folder in the command or in testpaths",
        {"path": where},
    )


def rootdir(said: str) -> str:
    """`rootdir: /app, configfile: pytest.ini`; "" when the output does not say."""
    match = _ROOTDIR.search(said)
    if match is None:
        return ""
    config = match["config"] or ((found := _CONFIG.search(said)) and found["config"])
    return f"rootdir: {match['path'].strip()}, {f'configfile: {config}' if config else 'no config file'}"
