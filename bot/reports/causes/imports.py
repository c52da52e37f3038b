"""A module could not be imported: a name, a module, a dependency, PYTHONPATH, syntax, a conftest, two equal names."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bot.model.test_run import CollectionError, DiscoveryCause
from bot.reports import frames
from bot.reports.causes.cause import Evidence, line_with
from bot.reports.causes.packages import CONVENTIONAL, DISTRIBUTIONS, LIBRARIES

_NO_MODULE = re.compile(r"No module named '?(?P<module>[\w.]+)'?(?P<of>; '[\w.]+' is not a package)?")
_NO_NAME = re.compile(
    r"cannot import name '?(?P<name>\w+)'?(?: from (?P<partly>partially initialized module )?'(?P<module>[\w.]+)')?"
)
_SYNTAX = re.compile(r"^(?:E\s+)?(?P<kind>SyntaxError|IndentationError|TabError): (?P<what>.+)$", re.MULTILINE)
_SYNTAX_AT = re.compile(r'File "(?P<file>[^"\n]{1,400})", line (?P<line>\d+)')
_MISMATCH = re.compile(r"^(?:E\s+)?(?:.*)import file mismatch:?.*$", re.MULTILINE)
_MISMATCHED = re.compile(
    r"imported module '(?P<module>[\w.]+)' has this __file__ attribute:\s+(?P<first>\S[^\n]*)[^/\\]*?same[^\n]*\n\s*(?:E\s+)?(?P<second>\S[^\n]*)"
)
_CONFTEST = re.compile(
    r"(?:ImportError while (?:loading|importing) conftest|ConftestImportFailure)[ :('\"]{0,4}(?P<file>[^\s'\"(]{0,400}conftest\.py)?"
)
_RAISED = re.compile(
    r"^(?:E\s+)(?P<what>(?:[\w.]+\.)?\w*(?:Error|Exception|Warning|Exit|Failed)\b[^\n]*)$", re.MULTILINE
)
_IMPORT = r"^\s*(?:>\s+)?(?:from|import) ({}(?:\.\w+)*)"
_DEEP = 3
"""Dots of other people's packages are few: `import acme.shop.cart` is one's own more often than not."""


def duplicate_basename(lost: CollectionError, _: Evidence) -> DiscoveryCause | None:
    if not (proof := line_with(lost.text, _MISMATCH)):
        return None
    match = _MISMATCHED.search(lost.text)
    facts = (
        {"module": match["module"], "first": match["first"].strip(), "second": match["second"].strip()} if match else {}
    )
    which = f"{_short(facts['first'])} and {_short(facts['second'])}" if facts else f"{lost.module} and another file"
    return DiscoveryCause(
        "duplicate_basename",
        f"two test modules have the same name: {which}",
        line_with(lost.text, _MISMATCHED) or proof,
        "rename one of them, add __init__.py to their folders, or set --import-mode=importlib; remove stale __pycache__",
        facts,
    )


def conftest_of_module(lost: CollectionError, evidence: Evidence) -> DiscoveryCause | None:
    found = _CONFTEST.search(lost.text)
    at = frames.culprit(lost.text)
    if not found and not at.split(":")[0].endswith("conftest.py"):
        return None
    return _conftest(lost.text, (found and found["file"]) or at.split(":")[0], evidence)


def conftest_of_run(evidence: Evidence) -> DiscoveryCause | None:
    text = evidence.report.said
    found = _CONFTEST.search(text)
    return _conftest(text[found.start() :], found["file"] or "conftest.py", evidence) if found else None


def _conftest(text: str, file: str, evidence: Evidence) -> DiscoveryCause:
    inner = next(
        (
            cause
            for of in (syntax_error, missing_name, missing_module)
            if (cause := of(CollectionError(file, text), evidence))
        ),
        None,
    )
    raised = _RAISED.search(text)
    said = inner.title if inner else raised["what"].strip() if raised else "it raised an error"
    return DiscoveryCause(
        "conftest_error",
        f"{_short(file)} could not be imported, so no test could: {said}",
        (inner.proof if inner else raised["what"].strip() if raised else "") or line_with(text, _CONFTEST),
        f"mend the conftest: {inner.fix}"
        if inner
        else "mend the conftest: run `python -m pytest --collect-only` where it fails",
        dict(inner.facts) if inner else {},
        culprit=frames.culprit(text),
    )


def syntax_error(lost: CollectionError, _: Evidence) -> DiscoveryCause | None:
    if not (match := _SYNTAX.search(lost.text)):
        return None
    places = list(_SYNTAX_AT.finditer(lost.text, 0, match.start()))
    where = f"{places[-1]['file']}:{places[-1]['line']}" if places else lost.module
    return DiscoveryCause(
        "syntax_error",
        f"syntax error in {_short(where)}: {match['what'].strip()[:200]}",
        line_with(lost.text, _SYNTAX),
        f"mend {_short(where)}; is the Python that runs the tests as new as the code needs?",
        {"place": _short(where)},
        culprit=_short(where),
    )


def missing_name(lost: CollectionError, _: Evidence) -> DiscoveryCause | None:
    matches = list(_NO_NAME.finditer(lost.text))
    if not matches:
        return None
    match = matches[-1]
    module = match["module"] or "a module"
    circular = bool(match["partly"]) or "circular import" in lost.text
    fix = (
        f"break the circular import: {module} is not finished when {match['name']} is asked of it"
        if circular
        else f"define {match['name']} in {module} again, or change who imports it; look at what was last moved or renamed"
    )
    return DiscoveryCause(
        "import_error",
        f"cannot import {match['name']} from {module}{' (circular import)' if circular else ''}",
        line_with(lost.text, _NO_NAME),
        fix,
        {"module": module, "name": match["name"]},
        culprit=frames.culprit(lost.text),
    )


def missing_module(lost: CollectionError, evidence: Evidence) -> DiscoveryCause | None:
    matches = list(_NO_MODULE.finditer(lost.text))
    if not matches:
        return None
    module = matches[-1]["module"]
    root, proof, at = module.partition(".")[0], line_with(lost.text, _NO_MODULE), frames.culprit(lost.text)
    facts: Mapping[str, str] = {"module": module}
    home = evidence.surroundings.home_of(root) if evidence.surroundings else None
    if (
        "." in module and root not in LIBRARIES
    ):  # Python names the first part that is missing: those before it were found
        parent = module.rpartition(".")[0]
        title = f"module {module} is missing although {parent} is there"
        fix = f"add {module.replace('.', '/')} to the commit (a file not added, moved or ignored?), or change who imports it"
        return DiscoveryCause("missing_module", title, proof, fix, facts, culprit=at)
    if home is not None or (evidence.surroundings is None and _is_ours(root, lost.text)):
        where = home or "the folder that holds it"
        title = f"package {root} is the project's own, and not on Python's path"
        fix = f"set `pythonpath = {home or '.'}` in pytest's configuration or PYTHONPATH={home or '.'}, or install the project (pip install -e .)"
        return DiscoveryCause(
            "pythonpath_missing",
            title,
            proof,
            f"{fix}; run from the project's root" if not home else fix,
            {**facts, "home": where},
            culprit=at,
        )
    name = LIBRARIES.get(root, root)
    fix = f"add {DISTRIBUTIONS.get(name, name)} to what is installed before the tests"
    if root not in LIBRARIES:
        fix += f"; if {root} is the project's own package, set pythonpath (PYTHONPATH) to the folder that holds it"
    return DiscoveryCause("missing_dependency", f"dependency {root} is not installed", proof, fix, facts, culprit=at)


def broken_module(lost: CollectionError, _: Evidence) -> DiscoveryCause | None:
    """Whatever else was raised while a module was imported."""
    raised = _RAISED.search(lost.text)
    first = (
        raised["what"].strip()
        if raised
        else next((line.strip() for line in lost.text.splitlines() if line.strip()), "")
    )
    said = first[:200] or "no error was told"
    at = frames.culprit(lost.text)
    return DiscoveryCause(
        "error_at_import",
        f"{at or lost.module} raised at import: {said}",
        said,
        "mend what runs at import; a test module should only define things there",
        {"error": said},
        culprit=at,
    )


def _is_ours(root: str, text: str) -> bool:
    """Whether a package that is nowhere to be seen is likelier the project's own than a dependency."""
    if root in LIBRARIES:
        return False
    if root in CONVENTIONAL or f"/{root}/tests/" in text:
        return True
    imported = re.findall(_IMPORT.format(re.escape(root)), text, re.MULTILINE)
    return any(name.count(".") + 1 >= _DEEP for name in imported)


def _short(path: str) -> str:
    """The last three parts of a path: enough to find it, the same on every machine."""
    parts = path.replace("\\", "/").split("/")
    absolute = path.startswith(("/", "\\")) or path[1:3] == ":\\"
    return "/".join(parts[-3:]) if absolute and len(parts) > 3 else path
