"""Recognises a line as one more of a kind seen before, in one match instead of a masking pass.

`like(text)` is a pattern of which this holds: a text that matches it has the same template (bot.correlate.masking) as
`text`. It knows only parts whose masking cannot depend on their content: words, numbers, hexadecimal, UUIDs, addresses,
times, paths, quotes, e-mails. Where a line holds anything else there is no pattern, and the line is masked.

`Kinds` finds the pattern to try. Only the pattern decides, so a bad guess costs time and never an answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.correlate.masking import KEPT_OWNERS, METHOD, OWNER_KEYS, SURE, SURE_KINDS, split_sure

Matcher = Callable[[str], object]  # the fullmatch of a pattern

RESIDUE = b"0123456789abcdef"
"""What is taken out of a line, quickly, to find the line it may be like: digits and the letters of hexadecimal."""

_MAX_TOKENS = 40
_MAX_LENGTH = 400
_MAX_KINDS = 1_024
_MAX_KNOWN = 4_096  # residues; several may lead to one kind
_MAX_COUNTED = 16_384
_OFTEN = 8  # making a pattern costs as much as masking a hundred lines; a flood of unrelated lines must not pay it
_MOST = 4_096  # at each doubling up to here another pattern is made, for a kind that is written in several ways
_NEAR = 8  # patterns tried for lines that begin, or end, alike
_END = 10  # bytes of residue by which they do
_STAMPS = b" -:.,TZ[]+"  # what the residue of a time stamp is made of

# Numbers whose masking does not depend on how long they are: uid=17, blk_-17, (17), [worker-3], eth0, 512MB
_PLAIN = re.compile(
    r"(?:[A-Za-z_=#,()\[\]{}<>|.]|:(?!.*:)|-(?=[0-9]+(?![-0-9]))"
    r"|(?<![A-Za-z0-9])0x[0-9a-f]{1,32}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[A-Za-z]*[g-zG-Z][A-Za-z]*[0-9]+(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[0-9]+(?:[KMGT]i?B|[num]s|s)?(?![A-Za-z0-9]))+"
)
_MEASURE = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:[num]?s|[KMGT]?i?B|%)")
_MIXED = r"[0-9]*+(?:[A-Za-z]+[0-9]+){3,40}+[A-Za-z]*+"  # three numbers among letters are no name
_MIXED_TOKEN = re.compile(_MIXED)
_SUFFIX = r"(?=[a-z]*[0-9])[a-z0-9]{8,10}-[a-z0-9]{5}"
_POD = re.compile(rf"((?:[a-z]+-)+){_SUFFIX}")
_OWNED_BY = rf"(?!(?i:{KEPT_OWNERS})\b)[A-Za-z]{{1,40}}"
_OWNED = re.compile(rf"((?i:{OWNER_KEYS})=){_OWNED_BY}")
# No backslash in any part: with one the line may be a traceback whose line ends were escaped.
_PARTS = {kind: part.replace(r"[\\/]", "/").replace(r"[^\s", r"[^\s\\") for kind, part in SURE_KINDS.items()}
_SIMPLE_QUOTE = re.compile(r"(?<![\w>])(?:\"[^\"\\\n]{0,400}\"|'[^'\\\n]{0,400}')(?!\w)")
_DIGITS = re.compile(r"[0-9]+")
_VARYING = re.compile(r"((?<![A-Za-z0-9])0x[0-9a-f]+|[0-9]+)")


class Kinds:
    """The kinds of lines that are said often, each a pattern with its name; forgets all when full."""

    def __init__(self) -> None:
        self.known: dict[bytes, tuple[Matcher, str]] = {}
        """By the whole residue: lines that differ in numbers, hexadecimal, addresses and times only."""
        self._near: dict[bytes, list[tuple[Matcher, str]]] = {}
        self._kinds = 0  # patterns made
        self._once: set[bytes] = set()
        self._counts: dict[str, int] = {}

    def near(self, text: str, residue: bytes) -> str | None:
        """The name of a kind with other words in its quotes, paths and e-mails; None where there is none."""
        for kind in self._near.get(residue[-_END:], ()):
            if kind[0](text):
                self._recur(residue, kind)
                return kind[1]
        for kind in self._near.get(residue.lstrip(_STAMPS)[:_END], ()):
            if kind[0](text):
                self._recur(residue, kind)
                return kind[1]
        return None

    def _recur(self, residue: bytes, kind: tuple[Matcher, str]) -> None:
        """A residue that comes twice (another unit) becomes known; one with words in it will hardly come twice."""
        if residue not in self._once:
            if len(self._once) >= _MAX_KINDS:
                self._once.clear()
            self._once.add(residue)
        elif len(self.known) < _MAX_KNOWN:
            self.known[residue] = kind

    def count(self, text: str, residue: bytes, name: str) -> None:
        """Takes note that this line had to be masked; the 8th, 16th … line of one name makes a pattern."""
        counts = self._counts
        if len(counts) >= _MAX_COUNTED:
            counts.clear()
        counts[name] = seen = counts.get(name, 0) + 1
        if _OFTEN <= seen <= _MOST and not seen & (seen - 1) and (pattern := like(text)):
            self._remember(residue, (pattern.fullmatch, name))

    def _remember(self, residue: bytes, kind: tuple[Matcher, str]) -> None:
        if self._kinds >= _MAX_KINDS or len(self.known) >= _MAX_KNOWN:
            self.known.clear()
            self._near.clear()
            self._kinds = 0
        self._kinds += 1
        self.known[residue] = kind
        for end in (residue[-_END:], residue.lstrip(_STAMPS)[:_END]):
            near = self._near.setdefault(end, [])
            near.insert(0, kind)
            del near[_NEAR:]

    def __len__(self) -> int:
        """How many things are remembered in all."""
        return len(self.known) + len(self._near) + len(self._once) + len(self._counts)


def like(text: str) -> re.Pattern[str] | None:
    """A pattern whose full matches all have the template of `text`; None where no such pattern can be told."""
    if len(text) > _MAX_LENGTH or not text.isascii() or any(mark in text for mark in "\n{\\`\x00\x01\x02\x1b"):
        return None
    quotes: list[str] = []
    tokens = _with_quotes_aside(text, quotes).split()
    if not 0 < len(tokens) <= _MAX_TOKENS:
        return None
    parts = []
    for token in tokens:
        part = _part(token, quotes)
        if part is None:
            return None
        parts.append(part)
    if "  " not in text and not re.search(r"[^\S ]|^ | $", text):
        return re.compile(" ".join(parts))
    gap = r"[^\S\n]"  # a line end may make it a traceback
    return re.compile(rf"{gap}*{f'{gap}+'.join(parts)}{gap}*")


def _with_quotes_aside(text: str, quotes: list[str]) -> str:
    """The text with a NUL for each quoted value; the patterns that such values match go to `quotes`, last one first."""

    def aside(match: re.Match[str]) -> str:
        quote = match[0][0]
        method = METHOD.match(match[0], 1)
        start = re.escape(method[0]) + r"\b" if method else f"(?!{METHOD.pattern})"
        quotes.insert(0, rf"{quote}{start}[^{quote}\\\n]{{0,400}}{quote}")
        return "\x00"

    return _SIMPLE_QUOTE.sub(aside, text)


def _part(token: str, quotes: list[str]) -> str | None:
    """The pattern of one token; `quotes` gives those of the quoted values in it, and loses them."""
    before, core, after = split_sure(token)
    found = SURE.fullmatch(core)
    part = None
    if "\x00" in token:
        around = [re.escape(piece) for piece in token.split("\x00")]
        part = None if _DIGITS.search(token) else around[0] + "".join(quotes.pop() + piece for piece in around[1:])
    elif '"' in token or "'" in token:
        part = None
    elif found and found.lastgroup != "number":
        part = f"{re.escape(before)}{_PARTS[found.lastgroup or '']}{re.escape(after)}"
    elif owned := _OWNED.fullmatch(core):
        part = f"{re.escape(before + owned[1])}{_OWNED_BY}{re.escape(after)}"
    elif not _DIGITS.search(token):
        part = re.escape(token)  # only this very token matches, so it does not matter what its mask is
    elif _MEASURE.fullmatch(core):
        part = f"{re.escape(before)}{_MEASURE.pattern}{re.escape(after)}"
    elif found or (_PLAIN.fullmatch(token) and "eyJ" not in token):
        part = "".join(_class_of(piece) for piece in _VARYING.split(token))
    else:
        part = _identifier(before, core, after)
    return part


def _identifier(before: str, core: str, after: str) -> str | None:
    """The pattern of a token that is an identifier mixed of letters and digits, by itself or behind a name."""
    if _MIXED_TOKEN.fullmatch(core):
        return f"{re.escape(before)}{_MIXED}{re.escape(after)}"
    pod = _POD.fullmatch(core)
    return f"{re.escape(before + pod[1])}{_SUFFIX}{re.escape(after)}" if pod else None


def _class_of(piece: str) -> str:
    if piece.startswith("0x"):
        return r"0x[0-9a-f]++"
    return "[0-9]++" if piece[:1].isdigit() else re.escape(piece)
