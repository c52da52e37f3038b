"""Puts tracebacks back together that reached Cloud Logging as one entry per line.

A container that prints a traceback to stderr makes one entry of each line, interleaved with those of other instances.
Lines belong together when they come from the same instance and stream, close in time, and the later one can only be
read as a continuation: indented, a "Caused by:", the exception after its frames.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.model.evidence import LogEntry, LogKind

_GAP = timedelta(seconds=2)  # one write is split within milliseconds; a busy instance may be descheduled in between
_MAX_LINES = 400
_MAX_CHARACTERS = 64_000

_STREAMS = frozenset({LogKind.STDERR, LogKind.STDOUT, LogKind.OTHER})
_PYTHON_START = re.compile(r"^[ +|]*(?:Exception Group )?Traceback \(most recent call last\):\s*$", re.MULTILINE)
_IN_GROUP = re.compile(r"^ {2,80}[|+]")  # every line of an exception group is drawn into its frame
_CHAINED = re.compile(r"^(?:During handling of the above exception|The above exception was the direct cause)")
_GO_START = re.compile(r"^(?:panic: |fatal error: |[\d/:. ]{0,40}http: panic serving )")
_GO_LINE = re.compile(
    r"^(?:goroutine \d+ \[|created by |\[signal |exit status \d|[\w./*()\[\]-]{1,200}\([^\n]{0,200}\)\s*$)"
)
_RUST_START = re.compile(r"^thread '[^'\n]{0,100}' (?:\(\d{1,10}\) )?panicked at ")
_RUST_LINE = re.compile(r"^(?:stack backtrace:|note: |\s+\S)")
_CONTINUES = re.compile(
    r"^(?:\s+\S|Caused by: |\.\.\. \d+ more|Suppressed: |#\d{1,4} |Next [A-Z\\]|\}$|[^\s:]{1,300}:\d{1,9}:in [`'])"
)
_FRAME = re.compile(  # a line that can only be a frame: of Node, Java, .NET, Ruby, PHP
    r"^(?:\s+(?:at \S|File \")|\s+---> \S|\s*(?:\d{1,5}: )?from [^\s:]{1,300}:\d{1,9}:in [`']|#0 \S|Stack trace:$|\[stacktrace\]$"
    r"|[^\s:]{1,300}\.(?:rb|ru|rake):\d{1,9}:in [`'][^'\n]{1,200}'$)"
)
_GO_FUNCTION = re.compile(
    r"^[\w./~-]{1,200}\.(?:\(\*?[\w.]{1,80}\))?[\w.]{1,100}$"
)  # pkg/errors: the place is on the next line
_GO_PLACE = re.compile(r"^\s+[^\s:]{1,300}\.go:\d{1,9}")


@dataclass
class _Block:
    """Lines of one instance that are being joined."""

    first: LogEntry
    lines: list[str]
    last_at: datetime
    size: int
    python: bool = False  # inside a Python traceback
    complete: bool = False  # its exception line has come; only a chained traceback may follow
    go: bool = False
    rust: bool = False
    stack_of_error: bool = False  # of Go's pkg/errors: functions and places in turn
    severity: int = field(default=0)

    def entry(self) -> LogEntry:
        if len(self.lines) == 1:
            return self.first
        return replace(self.first, text="\n".join(self.lines).rstrip("\n"), severity=self.severity)


def in_order(entries: Iterable[LogEntry]) -> list[LogEntry]:
    """Oldest first, each entry once. Entries of one instant keep their order, reversed if the input was newest first."""
    unique: dict[object, LogEntry] = {}
    for position, entry in enumerate(entries):
        unique.setdefault((entry.log, entry.at, entry.insert_id) if entry.insert_id else position, entry)
    listed = list(unique.values())
    if listed and listed[0].at > listed[-1].at:
        listed.reverse()
    return sorted(listed, key=lambda entry: entry.at)


def reassemble(entries: Iterable[LogEntry]) -> list[LogEntry]:
    """Entries oldest first, with the lines of each split traceback joined into the entry of its first line."""
    open_blocks: dict[tuple[str, str, LogKind], _Block] = {}
    before: dict[tuple[str, str, LogKind], _Block] = {}  # the block that was open before that one
    blocks: list[_Block] = []
    for entry in in_order(entries):
        source = (entry.revision, entry.instance, entry.log)
        block = open_blocks.get(source)
        if block is not None and _is_stack_of_error(before.get(source), block, entry):
            message, function = before.pop(source), block
            _append(message, function.first)
            function.lines.clear()
            message.stack_of_error = True
            block = open_blocks[source] = message
        if block is not None and _continues(block, entry):
            _append(block, entry)
            continue
        started = _start(entry)
        blocks.append(started)
        if entry.log in _STREAMS and entry.status is None:
            if block is not None:
                before[source] = block
            open_blocks[source] = started
    return [block.entry() for block in blocks if block.lines]


def _start(entry: LogEntry) -> _Block:
    block = _Block(entry, [entry.text], entry.at, len(entry.text), severity=entry.severity)
    block.python = bool(_PYTHON_START.search(entry.text))
    block.complete = block.python and _ends_complete(entry.text)
    block.go = bool(_GO_START.match(entry.text))
    block.rust = bool(_RUST_START.match(entry.text))
    return block


def _append(block: _Block, entry: LogEntry) -> None:
    text = entry.text
    if _PYTHON_START.search(text):
        block.python, block.complete = True, _ends_complete(text)
    elif block.python and text.strip() and not text[:1].isspace() and not _CHAINED.match(text):
        block.complete = True
    block.lines.append(text)
    block.size += len(text)
    block.last_at = entry.at
    block.severity = max(block.severity, entry.severity)


def _continues(block: _Block, entry: LogEntry) -> bool:
    """Whether this line can only be read as the next line of the block."""
    text = entry.text
    too_far = entry.at - block.last_at > _GAP
    too_long = len(block.lines) >= _MAX_LINES or block.size + len(text) > _MAX_CHARACTERS
    if too_far or too_long or entry.fields or entry.status is not None:
        return False
    if block.python:
        return _continues_python(block, text)
    if block.go or block.stack_of_error or block.rust:
        return _continues_panic(block, text)
    if _PYTHON_START.match(text):  # the logger's own line, "Exception in worker process", came first
        return _announces(block.lines[-1])
    if not text.strip():
        return block.lines[-1].endswith("):")  # Rails leaves a line empty between the exception and its frames
    return bool(_FRAME.match(text) or (len(block.lines) > 1 and _CONTINUES.match(text)))


def _continues_panic(block: _Block, text: str) -> bool:
    if block.rust:
        return len(block.lines) == 1 or bool(_RUST_LINE.match(text))  # what it says is on the line below
    if block.go:
        return not text.strip() or bool(_CONTINUES.match(text) or _GO_LINE.match(text))
    return bool(_GO_FUNCTION.match(text) or _GO_PLACE.match(text))


def _is_stack_of_error(before: _Block | None, block: _Block, entry: LogEntry) -> bool:
    """Whether message, function and place, each an entry, are the beginning of what pkg/errors prints."""
    if before is None or len(block.lines) > 1 or not _GO_PLACE.match(entry.text) or entry.fields:
        return False
    near = entry.at - before.last_at <= _GAP
    return near and before is not block and bool(_GO_FUNCTION.match(block.lines[0]))


def _continues_python(block: _Block, text: str) -> bool:
    if "Exception Group" in block.lines[0] and _IN_GROUP.match(block.lines[-1]):
        return bool(_IN_GROUP.match(text) or not text.strip())
    if not block.complete:
        return True  # source lines, carets, and at last the exception itself
    return not text.strip() or bool(_CHAINED.match(text)) or (_awaits_chain(block) and bool(_PYTHON_START.match(text)))


def _awaits_chain(block: _Block) -> bool:
    return any(_CHAINED.match(line) for line in block.lines[-3:])


def _announces(line: str) -> bool:
    """A line such as "[ERROR] Exception in worker process" or "ERROR:app:Exception on /login [POST]"."""
    return bool(re.search(r"\b(?:error|exception|critical|fatal|failed|traceback)\b", line, re.IGNORECASE))


def _ends_complete(text: str) -> bool:
    """Whether a text that starts a Python traceback already holds its exception line."""
    last = text.rstrip().rpartition("\n")[2]
    return bool(last) and not last[0].isspace() and not _PYTHON_START.match(last)
