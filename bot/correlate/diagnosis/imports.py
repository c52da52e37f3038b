"""The image lacks code that the program wants: modules, packages, classes, shared libraries, names in a module."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import Facts, Hit, Rule, Scene, lines
from bot.correlate.tracebacks import Frame, find_traceback
from bot.model.judgement import Diagnosis

_PYTHON_DOCS = "https://docs.python.org/3/library/exceptions.html"
_NODE_DOCS = "https://nodejs.org/api/errors.html"
_NAME = r"[\w.$@/\\:-]{1,200}"

# (what the missing thing is called, pattern with group `name`, documentation), the first that hits wins
_MISSING: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "Module",
        re.compile(rf"\b(?:ModuleNotFoundError|ImportError): No module named ['\"]?(?P<name>{_NAME})"),
        f"{_PYTHON_DOCS}#ModuleNotFoundError",
    ),
    (
        "Module",
        re.compile(rf"\bError: Cannot find module ['\"](?P<name>{_NAME})['\"]"),
        f"{_NODE_DOCS}#err_module_not_found",
    ),
    (
        "Package",
        re.compile(rf"\bCannot find package ['\"](?P<name>{_NAME})['\"] imported from"),
        f"{_NODE_DOCS}#err_module_not_found",
    ),
    (
        "Class",
        re.compile(rf"\b(?:java\.lang\.)?(?:ClassNotFoundException|NoClassDefFoundError): (?P<name>{_NAME})"),
        "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/NoClassDefFoundError.html",
    ),
    (
        "File",
        re.compile(rf"\bcannot load such file -- (?P<name>{_NAME})"),
        "https://docs.ruby-lang.org/en/master/LoadError.html",
    ),
    (
        "Shared library",
        re.compile(
            rf"(?:error while loading shared libraries|ImportError|OSError): (?P<name>lib{_NAME}\.so[\w.]{{0,20}}): cannot open"
        ),
        "https://man7.org/linux/man-pages/man8/ld.so.8.html",
    ),
    ("Class", re.compile(rf'PHP Fatal error: [^\n]{{0,40}}Class ["\'](?P<name>{_NAME})["\'] not found'), ""),
)
_CANNOT_IMPORT = re.compile(
    rf"\bImportError: cannot import name ['\"](?P<name>\w{{1,100}})['\"]"
    rf"(?: from (?P<circular>partially initialized module )?['\"](?P<module>{_NAME})['\"])?"
)
_WORKER_EXIT = re.compile(
    r"\bContainer called exit\((?P<container>\d{1,3})\)|Worker \(pid:\d+\) exited with code (?P<worker>\d{1,3})"
)

_WORKERS = re.compile(r"\bWorker (?:\(pid:\d+\) exited|failed to boot)|\bException in worker process\b")


def _missing_module(scene: Scene) -> Diagnosis | None:
    for kind, pattern, documentation in _MISSING:
        if hit := scene.first(pattern):
            return _missing(scene, hit, kind, documentation)
    return None


def _missing(scene: Scene, hit: Hit, kind: str, documentation: str) -> Diagnosis:
    name = hit["name"].rstrip(".:")
    name = name.replace("/", ".") if kind == "Class" else name  # the JVM writes com/acme/Tax
    culprit, exit_code = _importer(hit), _exit(scene)
    where = f" The import is at {culprit}." if culprit else ""
    return Diagnosis(
        code="missing_module",
        title=f"{kind} `{name}` is missing from the image{_consequence(scene, exit_code)}",
        explanation=(
            f"The program stops where it needs `{name}`, which is not in the image.{where}"
            " Everything after it (failing probes, 503s, exits) follows from that."
        ),
        advice=_how_to_add(kind, name, scene.facts, ours=_is_ours(name, hit)),
        evidence=lines(hit, exit_code),
        confidence=0.97,
        rollback_helps=True,
        documentation=documentation,
        facts={
            "module": name,
            **({"frame": str(culprit)} if culprit else {}),
            **({"exit_code": exit_code["worker"] or exit_code["container"]} if exit_code else {}),
        },
    )


def _consequence(scene: Scene, exit_code: Hit | None) -> str:
    if exit_code is None:
        return ""
    number = exit_code["worker"] or exit_code["container"]
    has_workers = exit_code["worker"] or scene.first(_WORKERS)
    return f"; workers exit({number})" if has_workers else f"; the container exits({number})"


def _cannot_import(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_CANNOT_IMPORT)
    if hit is None:
        return None
    name, module, culprit = hit["name"], hit["module"] or "the module", _importer(hit)
    where = f" The import is at {culprit}." if culprit else ""
    if hit["circular"]:
        why, mend = "the two modules import each other", "move the import into the function that needs it"
    else:
        why = "the name was moved or removed, or another version of the package is installed"
        mend = "correct the import, or pin the version of the package that still has the name"
    return Diagnosis(
        code="import_error",
        title=f"`{name}` cannot be imported from `{module}`",
        explanation=f"`{module}` is there, but has no `{name}` at that moment: {why}.{where}",
        advice=f"{mend[:1].upper()}{mend[1:]}, or {scene.facts.revert}",
        evidence=lines(hit, _exit(scene)),
        confidence=0.95,
        rollback_helps=True,
        documentation=f"{_PYTHON_DOCS}#ImportError",
        facts={"name": name, "module": hit["module"], **({"frame": str(culprit)} if culprit else {})},
    )


def _importer(hit: Hit) -> Frame | None:
    """Our frame that wanted the module: one in the same entry as the message."""
    found = find_traceback(hit.text)
    return found.culprit if found else None


def _exit(scene: Scene) -> Hit | None:
    """The worker's own line if there is one, it is nearer to the cause than the container's."""
    hits = list(scene.all(_WORKER_EXIT))
    return next((hit for hit in hits if hit["container"]), next(iter(hits), None))


def _is_ours(name: str, hit: Hit) -> bool:
    """Whether the missing module should have come from the team's repository rather than from a registry."""
    if name.startswith((".", "/")):
        return True
    found, top = find_traceback(hit.text), re.split(r"[./]", name)[0]
    return found is not None and any(frame.ours and frame.file.split("/")[0] == top for frame in found.frames)


def _how_to_add(kind: str, name: str, facts: Facts, *, ours: bool) -> str:
    if kind == "Shared library":
        return f"Install the system package that brings `{name}` in the Dockerfile, or {facts.revert}"
    if kind == "Class":
        return f"Bring the jar that has `{name}` into the image (a dependency left out or excluded by the build), or {facts.revert}"
    if ours or "." in name.strip("./"):
        return f"Add the package to the image (is it committed, copied by the Dockerfile, not in .dockerignore?) or {facts.revert}"
    return f"Add `{name}` to the dependencies, build the image again and deploy it, or {facts.revert}"


_ECHOES = frozenset(
    {
        "worker_boot_failure",
        "worker_timeout",
        "exit_code",
        "did_not_listen",
        "startup_probe_failed",
        "liveness_probe_failed",
        "malformed_response",
        "no_instance",
        "request_timeout",
        "unhandled_exception",
    }
)

RULES = (
    Rule("missing_module", _missing_module, explains=_ECHOES | {"import_error"}),
    Rule("import_error", _cannot_import, explains=_ECHOES),
)
