"""What a traceback is, and how one runtime prints it: a `Language` is data, one file per language beside this one."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PACKAGE = re.compile(r"^(?:[a-z_]\w{0,60}\.)+(?=[A-Z])")  # com.acme.auth.LoginController → LoginController
_IMAGE_ROOT = re.compile(
    r"^(?:file://)?/(?:app|workspace|workdir|usr/src/app|usr/app|srv|code|src|opt/app|var/www/html|home/[^/]{1,60})/"
)
_LOOKS_LIKE_EXCEPTION = re.compile(
    r"(?:Error|Exception|Warning|Exit|Interrupt|Failure|Fault|Timeout|Refused|Denied|NotFound|Invalid\w*)\w*$"
)

MAX_FRAMES = 200
TYPE = r"(?P<type>[A-Za-z_$][\w$]*(?:[.:]{1,2}[A-Za-z_$][\w$]*)*)"
"""An exception's name in most languages: `KeyError`, `java.lang.Error`, `Net::ReadTimeout`."""

BEHIND_WORDS = (
    r"(?<=[\s:(\[\]|\"'=])(?P<type>(?:[A-Za-z_$][\w$]{0,100}(?:\.|::)){0,12}[A-Z]?[\w$]{0,100}?"
    r"(?:Error|Exception|Failure|Fault|Timeout|Refused|Denied|NotFound)\w{0,40}"
    r"|(?:[a-z_$][\w$]{0,100}\.){1,12}[A-Z][\w$]{0,100})"
)
"""An exception's name after a logger's own words on the same line: "request failed: TypeError: …"."""


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
        if not where:
            return function
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

    @property
    def said(self) -> str:
        """The headline as it was logged: Rust prints what a panic says on a line of its own."""
        return self.message if self.language == "rust" and self.message else self.headline


@dataclass(frozen=True)
class Language:
    """How one runtime prints a traceback.

    Attributes:
        hints: a text with none of these fragments has no traceback of this language; they keep the check cheap.
        frame: matches one frame line; groups file, line, function (each may be empty).
        exceptions: match the line that names the exception, tried in this order; groups type, message and, where the
            line tells the point of the raise, file and line.
        foreign: matches a frame ("file function") that is not ours.
        raise_first: True when the frame nearest to the raise is printed first.
        cause: matches the start of an exception line that caused those before it; the last one is the root.
        ends: a line that ends the frames of one exception of a chain.
        either_order: True where the frames may also come before the exception, the oldest first.
        any_name: True where the exception line is told by its form, whatever the type is called.
        generated: parts of file and function that change between builds, each replaced by its text.
    """

    name: str
    hints: tuple[str, ...]
    frame: re.Pattern[str]
    exceptions: tuple[re.Pattern[str], ...]
    foreign: re.Pattern[str]
    raise_first: bool
    cause: re.Pattern[str] | None = None
    ends: re.Pattern[str] | None = None
    either_order: bool = False
    any_name: bool = False
    generated: tuple[tuple[re.Pattern[str], str], ...] = ()

    def may_be_in(self, text: str) -> bool:
        return any(hint in text for hint in self.hints)

    def read(self, text: str) -> Traceback | None:
        """The traceback of this language in `text`; None when there is none."""
        matches = list(self.frame.finditer(text))[-MAX_FRAMES:]
        exception = self._exception(text, matches) if matches else None
        if exception is None:
            return None
        own = self._frames_of(exception, matches)
        frames = [self._frame(match) for match in own]
        if not any(frame.ours for frame in frames):  # "... 12 more" hides ours: they are with the exception around it
            frames = [self._frame(match) for match in matches]
        found = exception.groupdict()
        if found.get("file"):
            frames.insert(0, self._frame(exception))
        if self.raise_first and not (self.either_order and own[0].start() < exception.start()):
            frames.reverse()
        return Traceback(self.name, found["type"] or "error", (found["message"] or "").strip(), tuple(frames))

    def stable(self, text: str) -> str:
        """A file or function without what changes between builds."""
        for pattern, replacement in self.generated:
            text = pattern.sub(replacement, text)
        return text

    def _exception(self, text: str, matches: list[re.Match[str]]) -> re.Match[str] | None:
        """The line that names the exception: after the frames in Python, before them elsewhere."""
        for pattern in self.exceptions:
            lines = [line for line in pattern.finditer(text) if self.any_name or names_exception(line["type"])]
            if self.raise_first:
                before = [line for line in lines if line.start() < matches[-1].end()]
                causes = [line for line in before if self.cause and self.cause.match(line[0])]
                found = causes[-1] if causes else next(iter(before), None)
            else:
                after = (line for line in pattern.finditer(text) if line.start() > matches[-1].end())
                first = matches[0].start()
                found = next(after, None) or next((line for line in reversed(lines) if line.start() > first), None)
            if found is not None:
                return found
        return None

    def _frames_of(self, exception: re.Match[str], matches: list[re.Match[str]]) -> list[re.Match[str]]:
        """Frames that belong to this exception rather than to another one of the chain."""
        text, at = exception.string, exception.start()
        if not self.raise_first:
            head = text.rfind("Traceback (most recent call last)", 0, at)
            return [m for m in matches if head < m.start() < at] or matches
        if self.either_order and matches[-1].start() <= at:
            return matches
        end = self.ends.search(text, exception.end()) if self.ends else None
        last = end.start() if end else len(text)
        return [m for m in matches if at <= m.start() < last] or matches

    def _frame(self, match: re.Match[str]) -> Frame:
        found = match.groupdict()
        file, function = found["file"] or "", (found.get("function") or "").strip()
        ours = not self.foreign.search(f"{file} {function}")
        return Frame(_IMAGE_ROOT.sub("", file), function, int(found["line"] or 0), ours)


def names_exception(name: str) -> bool:
    """A name that ends as exceptions do, or a dotted one whose last part is capitalised; prose is neither."""
    kind = re.split(r"[.:\\]", name)[-1]
    return bool(_LOOKS_LIKE_EXCEPTION.search(kind)) or (kind != name and kind[:1].isupper())
