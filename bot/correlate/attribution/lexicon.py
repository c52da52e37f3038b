"""Message → error group: caches by the message and by the message without its digits, behind them the fingerprint.

What a group's words speak of is read once for the group.
"""

from __future__ import annotations

import re

from bot.correlate.attribution.content import (
    Theme,
    callee_name,
    dependency_name,
    is_request_line,
    says_error,
    speaks_of_death,
    theme,
)
from bot.correlate.attribution.recent import RecentMap
from bot.correlate.fingerprints import fingerprint

_CACHED_MESSAGES = 20_000
_KNOWN_GROUPS = 5_000
_LONGEST_CACHED = 2_000  # characters: longer messages are read each time, so that the cache stays small
_NO_DIGITS = str.maketrans("", "", "0123456789")
_LEVEL = re.compile(
    r"^([^A-Za-z]{0,40})\[?\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL|SEVERE)\b\]?[:\s|-]*",
    re.IGNORECASE,
)
_STATUS_IN_TEXT = re.compile(
    r"(?:status|HTTP(?:/\d(?:\.\d)?\"?)?|code|with|->|→|=)[^\w]{0,4}([45])\d\d\b", re.IGNORECASE
)

_HOST = re.compile(r"\b(?:https?|grpc)://([A-Za-z0-9.-]{1,80})")
"""Fingerprints mask addresses; whose address it is tells which callee failed."""


class Wording:
    """What all messages of one group have in common."""

    __slots__ = ("callee", "death", "dependency", "key", "refusal", "request", "sample", "says_error", "theme")

    def __init__(self, key: str, sample: str) -> None:
        self.key = key
        self.refusal = key.endswith("/4")  # by the status, or by a status that the text tells
        self.sample = sample[:1_000]
        self.request = is_request_line(sample)
        self.theme: Theme = Theme.OTHER if self.request else theme(sample)
        self.says_error = says_error(sample)
        self.death = speaks_of_death(sample)
        self.dependency = dependency_name(sample)
        self.callee = callee_name(sample)


class Lexicon:
    """Bounded: at most 40,000 messages and as many shapes of at most 2,000 characters, and 10,000 groups."""

    __slots__ = ("_groups", "_messages", "_numbered", "_numbered_names", "_shapes")

    def __init__(self) -> None:
        self._messages: RecentMap[Wording] = RecentMap(_CACHED_MESSAGES)
        self._shapes: RecentMap[Wording] = RecentMap(_CACHED_MESSAGES)
        self._groups: RecentMap[Wording] = RecentMap(_KNOWN_GROUPS)
        self._numbered_names: set[str] = set()
        self._numbered: re.Pattern[str] | None = None

    def heed(self, service: str) -> None:
        """Messages that name this service are not those that name another whose name differs in a number only."""
        if not any(map(str.isdigit, service)):
            return
        self._numbered_names.add(re.escape(service))
        names = "|".join(sorted(self._numbered_names, key=lambda name: (-len(name), name)))
        self._numbered = re.compile(rf"(?<![\w-])(?:{names})(?!\d)")
        self._messages, self._shapes = RecentMap(_CACHED_MESSAGES), RecentMap(_CACHED_MESSAGES)

    def wording(self, message: str | None, status: int | None) -> Wording:
        """The group of this message; a request's class of status belongs to it, since one path may answer 200 and 500.

        The level at the front of a message does not count: `WARNING: slow` and `ERROR: slow` are one group.
        """
        kind = status // 100 if status else 0
        found = self._messages.get((message, kind))
        return found if found is not None else self._read(message or "", kind, status)

    def _read(self, message: str, kind: int, status: int | None) -> Wording:
        named = ",".join(sorted(set(self._numbered.findall(message)))) if self._numbered else ""
        shape = (message.translate(_NO_DIGITS), named, kind)
        found = self._shapes.get(shape)
        if found is not None:
            return found
        text = _LEVEL.sub(r"\1", message, count=1) if message else f"HTTP {status}" if status else ""
        said = _STATUS_IN_TEXT.search(text[:500])
        host = _HOST.search(text, 0, 2_000)
        key = f"{fingerprint(text)}/{host[1] if host else ''}/{named}/{kind or (said[1] if said else 0)}"
        found = self._groups.get(key)
        if found is None:
            found = Wording(key, message or text)
            self._groups.put(key, found)
        if said and not kind:  # its digits say which group it is
            if len(message) <= _LONGEST_CACHED:
                self._messages.put((message, kind), found)
        elif len(message) <= _LONGEST_CACHED:
            self._shapes.put(shape, found)
        return found
