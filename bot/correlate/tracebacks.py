"""Recognises tracebacks: exception type, message and frames, and which of the frames are ours.

One `Language` per runtime, as data. "Ours" is what the team wrote: not the standard library, not installed packages.
The culprit is our frame nearest to the point where the exception was raised.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_PACKAGE = re.compile(r"^(?:[a-z_]\w{0,60}\.)+(?=[A-Z])")  # com.acme.auth.LoginController → LoginController


@dataclass(frozen=True)
class Frame:
    """One line of a traceback. `file` as logged without the image's root ("app/views.py"); `line` 0 when unknown."""

    file: str
    function: str
    line: int
    ours: bool

    def __str__(self) -> str:
        """`app/views.py:42 in login`."""
        where = f"{self.file}:{self.line}" if self.line else self.file
        function = _PACKAGE.sub("", self.function)
        return f"{where} in {function}" if function else where


@dataclass(frozen=True)
class Traceback:
    """One exception with its frames, those nearest to the raise last, whatever order the language prints them in."""

    language: str
    exception: str
    message: str
    frames: tuple[Frame, ...]

    @property
    def culprit(self) -> Frame | None:
        """Our frame nearest to the raise; None when only libraries are in it."""
        return next((frame for frame in reversed(self.frames) if frame.ours), None)

    @property
    def headline(self) -> str:
        """`KeyError: 'user'`; the bare type when there is no message."""
        return f"{self.exception}: {self.message}" if self.message else self.exception


@dataclass(frozen=True)
class Language:
    """How one runtime prints a traceback.

    Attributes:
        hint: a text without this fragment has no traceback of this language.
        frame: matches one frame line; groups file, line, function (line and function may be empty).
        exception: matches the line that names the exception; groups type and message.
        foreign: matches a frame ("file function") that is not ours.
        raise_first: True when the frame nearest to the raise is printed first.
    """

    name: str
    hint: str
    frame: re.Pattern[str]
    exception: re.Pattern[str]
    foreign: re.Pattern[str]
    raise_first: bool


_TYPE = r"(?P<type>[A-Za-z_$][\w$]*(?:[.:]{1,2}[A-Za-z_$][\w$]*)*)"
_MAX_FRAMES = 200

LANGUAGES: tuple[Language, ...] = (
    Language(
        name="python",
        hint='File "',
        frame=re.compile(
            r'^[ |+-]*File "(?P<file>[^"\n]{1,500})", line (?P<line>\d{1,9})(?:, in (?P<function>[^\n]{1,200}))?$',
            re.MULTILINE,
        ),
        exception=re.compile(rf"^(?: {{0,40}}\| )?{_TYPE}(?:: (?P<message>[^\n]*))?$", re.MULTILINE),
        foreign=re.compile(r"site-packages|dist-packages|/lib/python\d|^<frozen|^<string>|/\.venv/|^/usr/lib/"),
        raise_first=False,
    ),
    Language(
        name="node",
        hint="    at ",
        frame=re.compile(
            r"^[ \t]+at (?:async )?(?:(?P<function>[^\n(]{1,200}?) \()?(?P<file>(?:file://|node:)?[^\s():]{1,500}(?:\.[cm]?[jt]sx?|[^\s():]))"
            r":(?P<line>\d{1,9}):\d{1,9}\)?$",
            re.MULTILINE,
        ),
        exception=re.compile(rf"^(?:Uncaught )?{_TYPE}(?: \[\w{{1,60}}\])?(?:: (?P<message>[^\n]*))?$", re.MULTILINE),
        foreign=re.compile(r"node_modules|^node:|^internal/"),
        raise_first=True,
    ),
    Language(
        name="java",
        hint="\tat ",
        frame=re.compile(
            r"^[ \t]+at (?:[\w.@-]{1,100}/)?(?P<function>[\w$.<>]{1,300})\((?P<file>[^():\n]{1,200})(?::(?P<line>\d{1,9}))?\)",
            re.MULTILINE,
        ),
        exception=re.compile(
            rf'^(?:Exception in thread "[^"\n]{{0,100}}" )?(?:Caused by: )?{_TYPE}(?:: (?P<message>[^\n]*))?$',
            re.MULTILINE,
        ),
        foreign=re.compile(
            r" (?:java|javax|jakarta|jdk|sun|kotlin|scala|org\.(?:springframework|apache|hibernate|eclipse|jboss)"
            r"|com\.(?:google|zaxxer|fasterxml|sun)|io\.(?:netty|grpc|micronaut|quarkus|undertow)|reactor)\."
        ),
        raise_first=True,
    ),
    Language(
        name="go",
        hint="goroutine ",
        frame=re.compile(
            r"^(?P<function>[\w./-]{1,200}(?:\(\*?[\w.]{1,80}\))?[\w.]{0,100})\([^\n]{0,200}\)\n\t(?P<file>[^\s:]{1,500}\.go):(?P<line>\d{1,9})",
            re.MULTILINE,
        ),
        exception=re.compile(r"^(?P<type>panic|fatal error): (?P<message>[^\n]*)$", re.MULTILINE),
        foreign=re.compile(r"/usr/local/go/|/go/pkg/mod/|/vendor/|^runtime/"),
        raise_first=True,
    ),
)

_LOOKS_LIKE_EXCEPTION = re.compile(
    r"(?:Error|Exception|Warning|Exit|Interrupt|Failure|Fault|Timeout|Refused|Denied|NotFound|Invalid\w*)\w*$"
)
_IMAGE_ROOT = re.compile(
    r"^(?:file://)?/(?:app|workspace|workdir|usr/src/app|usr/app|srv|code|src|opt/app|home/[^/]{1,60})/"
)


def find_traceback(text: str) -> Traceback | None:
    """The traceback in `text`, None when there is none. Of a chain, the exception that was raised last.

    Java prints the root cause last ("Caused by"), Python the raised one last: both are the last exception line.
    """
    for language in LANGUAGES:
        if language.hint in text and (found := _read(language, text)):
            return found
    return None


def _read(language: Language, text: str) -> Traceback | None:
    matches = list(language.frame.finditer(text))[-_MAX_FRAMES:]
    if not matches:
        return None
    exception = _exception_line(language, text, matches[0].start(), matches[-1].end())
    if exception is None:
        return None
    frames = [_frame(language, match) for match in _of_exception(language, matches, exception)]
    if language.raise_first:
        frames.reverse()
    return Traceback(language.name, exception["type"], (exception["message"] or "").strip(), tuple(frames))


def _exception_line(language: Language, text: str, first: int, last: int) -> re.Match[str] | None:
    """The line that names the exception: after the frames in Python, before them elsewhere."""
    lines = list(language.exception.finditer(text))
    named = [line for line in lines if _names_exception(language, line)]
    if language.raise_first:
        before = [line for line in named if line.start() < last]
        causes = [line for line in before if line[0].startswith("Caused by:")]
        return causes[-1] if causes else next(iter(before), None)
    after = next((line for line in lines if line.start() > last), None)  # Python's may have any name
    return after or next((line for line in reversed(named) if line.start() > first), None)


def _names_exception(language: Language, line: re.Match[str]) -> bool:
    """A name that ends as exceptions do, or a dotted one whose last part is capitalised; prose is neither."""
    if language.name == "go":
        return True
    kind = line["type"].rpartition(".")[2]
    return bool(_LOOKS_LIKE_EXCEPTION.search(kind)) or ("." in line["type"] and kind[:1].isupper())


def _of_exception(language: Language, matches: list[re.Match[str]], exception: re.Match[str]) -> list[re.Match[str]]:
    """Frames that belong to this exception rather than to another one of the chain."""
    if language.raise_first:
        return [m for m in matches if m.start() > exception.start()] or matches
    text, earlier = exception.string, exception.start()
    head = text.rfind("Traceback (most recent call last)", 0, earlier)
    return [m for m in matches if head < m.start() < earlier] or matches


def _frame(language: Language, match: re.Match[str]) -> Frame:
    found = match.groupdict()
    file, function = found["file"] or "", (found["function"] or "").strip()
    ours = not language.foreign.search(f"{file} {function}")
    return Frame(_IMAGE_ROOT.sub("", file), function, int(found["line"] or 0), ours)
