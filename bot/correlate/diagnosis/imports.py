"""The image lacks code that the program wants: modules, packages, classes, shared libraries, names in a module."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.facts import Facts
from bot.correlate.diagnosis.known import words
from bot.correlate.diagnosis.rule import STARTUP_ECHOES, Hit, Rule, Scene, lines
from bot.correlate.telling import goes_on
from bot.correlate.tracebacks import Frame, find_traceback
from bot.model.judgement import Diagnosis

_PYTHON_DOCS = "https://docs.python.org/3/library/exceptions.html"
_NODE_DOCS = "https://nodejs.org/api/errors.html"
_NAME = r"[\w.$@/\\:-]{1,200}"

# (what the missing thing is called, patterns with the group `name`, documentation), the first that hits wins
_MISSING: tuple[tuple[str, tuple[re.Pattern[str], ...], str], ...] = (
    (
        "Module",
        words(
            rf"\b(?:ModuleNotFoundError|ImportError): No module named ['\"]?(?P<name>{_NAME})",
            rf"\bNo module named ['\"]?(?P<name>{_NAME})",
            rf"Error loading ASGI app\. Could not import module ['\"](?P<name>{_NAME})",
            rf"(?:Error: )?Could not import '(?P<name>{_NAME})'\.|While importing '(?P<name>{_NAME})', an ImportError was raised",
            rf"Unable to load celery application\.\s{{1,20}}The module (?P<name>{_NAME}) was not found",
            rf"can't open file '(?P<name>{_NAME})': \[Errno 2\]",
        ),
        f"{_PYTHON_DOCS}#ModuleNotFoundError",
    ),
    (
        "Module",
        words(
            rf"\bCannot find module ['\"](?P<name>{_NAME})['\"]",
            rf"Module not found: (?:Error: )?Can't resolve '(?P<name>{_NAME})'",
            r"(?P<name>@prisma/client) did not initialize yet",
            r"Could not find a production build in the '(?P<name>[^'\n]{1,80})' directory",
        ),
        f"{_NODE_DOCS}#err_module_not_found",
    ),
    (
        "Package",
        words(rf"\bCannot find package ['\"](?P<name>{_NAME})['\"] imported from"),
        f"{_NODE_DOCS}#err_module_not_found",
    ),
    (
        "Class",
        words(
            rf"\b(?:java\.lang\.)?(?:ClassNotFoundException|NoClassDefFoundError): (?:Could not initialize class )?(?P<name>{_NAME})",
            rf"Could not find or load main class (?P<name>{_NAME})",
        ),
        "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/NoClassDefFoundError.html",
    ),
    (
        "File",
        words(
            rf"\bUnable to access jarfile (?P<name>{_NAME})",
            rf"no main manifest attribute, in (?P<name>{_NAME})",
        ),
        "https://docs.oracle.com/en/java/javase/21/docs/specs/man/java.html",
    ),
    (
        "Assembly",
        words(
            r"Could not load file or assembly '(?P<name>[^',\n]{1,160})[^\n]{0,200}(?:cannot find the file|could not be found|No such file)",
            r"An assembly specified in the application dependencies manifest[^\n]{0,200}(?:\n\s{0,8}package: '(?P<name>[^'\n]{1,100})')",
            r"The application to execute does not exist: '(?P<name>[^'\n]{1,200})'|The specified (?:application|executable) '?(?P<name>[\w./-]{1,200})'? does not exist",
        ),
        "https://learn.microsoft.com/en-us/dotnet/core/dependency-loading/overview",
    ),
    (
        "File",
        words(rf"\bcannot load such file -- (?P<name>{_NAME})"),
        "https://ruby-doc.org/core/LoadError.html",
    ),
    (
        "Gem",
        words(
            r"Could not find (?:gem )?'?(?P<name>[\w-]{2,80}?)(?:-[\d.]{1,20})?'? ?(?:\([^)\n]{1,60}\) )?in (?:any of the sources|locally installed gems|rubygems|cached gems)",
            r"can't find gem (?P<name>[\w-]{2,80})",
        ),
        "https://bundler.io/doc/troubleshooting.html",
    ),
    (
        "Shared library",
        words(
            r"(?:error while loading shared libraries|ImportError|OSError|libraries): (?P<name>lib[\w.+-]{1,100}): cannot open",
            rf"Error loading shared library (?P<name>lib{_NAME}\.so[\w.]{{0,20}})",
            rf"Unable to load (?:shared library|DLL) '(?P<name>{_NAME})'|DllNotFoundException: [^\n]{{0,60}}'(?P<name>{_NAME})'|UnsatisfiedLinkError: (?:no )?(?P<name>{_NAME})",
        ),
        "https://man7.org/linux/man-pages/man8/ld.so.8.html",
    ),
    (
        "Class",
        words(r"(?:Class|Interface|Trait) [\"'](?P<name>[A-Z\\][\w\\]{0,200})[\"'] not found"),
        "https://www.php.net/manual/en/language.oop5.autoload.php",
    ),
    (
        "PHP extension",
        words(
            r"PDOException:? (?P<name>could not find driver)|(?P<name>could not find driver) (?:in /|at /|\((?:SQL|Connection))",
            r"Call to undefined function (?P<name>(?:mb|curl|pg|mysqli|bc|gmp|openssl|simplexml|intl|ctype|image|imap|ldap|sodium|pcntl|json|iconv)\w{1,60})\(",
        ),
        "https://www.php.net/manual/en/install.pecl.intro.php",
    ),
    (
        "Driver",
        words(
            r"Error loading (?P<name>psycopg2? or psycopg|psycopg2?|MySQLdb|mysqlclient) module",
            r"NoSuchModuleError: Can't load plugin: (?P<name>[\w.:+]{3,80})",
        ),
        f"{_PYTHON_DOCS}#ModuleNotFoundError",
    ),
    (
        "File",
        words(
            rf"Failed opening required '(?P<name>{_NAME})'|require(?:_once)?\((?P<name>{_NAME})\): [Ff]ailed to open stream"
        ),
        "https://getcomposer.org/doc/01-basic-usage.md#autoloading",
    ),
)
_CANNOT_IMPORT = words(
    rf"\bImportError: cannot import name ['\"]?(?P<name>\w{{1,100}})['\"]?"
    rf"(?: from (?P<circular>partially initialized module )?['\"](?P<module>{_NAME})['\"])?",
    rf"\bcannot import name ['\"](?P<name>\w{{1,100}})['\"] from (?P<circular>partially initialized module )?['\"](?P<module>{_NAME})['\"]",
    rf"AttributeError: (?P<circular>partially initialized )?module ['\"](?P<module>{_NAME})['\"] has no attribute ['\"](?P<name>\w{{1,100}})['\"]",
    r"ImportError: Module \"(?P<module>[\w.]{1,120})\" does not define a \"(?P<name>\w{1,80})\"",
    r"The requested module '(?P<module>[^'\n]{1,120})' does not provide an export named '(?P<name>[\w$]{1,80})'",
    r"\buninitialized constant (?P<name>[\w:]{1,120})",
)
_WORKER_EXIT = re.compile(
    r"\bContainer called exit\((?P<container>\d{1,3})\)|Worker \(pid:\d+\) exited with code (?P<worker>\d{1,3})"
)

_WORKERS = re.compile(r"\bWorker (?:\(pid:\d+\) exited|failed to boot)|\bException in worker process\b")


def _missing_module(scene: Scene) -> Diagnosis | None:
    for kind, patterns, documentation in _MISSING:
        hits = (hit for pattern in patterns for hit in scene.all(pattern))
        if hit := next((hit for hit in hits if hit["name"] and not _is_optional(hit)), None):
            return _missing(scene, hit, kind, documentation)
    return None


def _is_optional(hit: Hit) -> bool:
    """A line that goes on without it: "No module named 'uvloop', falling back to asyncio"."""
    return goes_on(hit.line)


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
    hit = next((hit for pattern in _CANNOT_IMPORT for hit in scene.all(pattern)), None)
    if hit is None:
        return None
    name, module, culprit = hit["name"], hit["module"] or "the module", _importer(hit)
    where = f" The import is at {culprit}." if culprit else ""
    if hit["circular"]:
        why, mend = "the two modules import each other", "move the import into the function that needs it"
    else:
        why = "the import path is deprecated and the name was moved or removed, or another version of the package is installed"
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


_ECHOES = STARTUP_ECHOES | {"worker_timeout", "liveness_probe_failed", "request_timeout", "command_not_found", "signal"}

RULES = (
    Rule("missing_module", _missing_module, explains=_ECHOES | {"import_error", "version_conflict"}),
    Rule("import_error", _cannot_import, explains=_ECHOES | {"version_conflict"}),
)
