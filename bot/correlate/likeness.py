"""Recognises a line as one more of a line seen before, in one match instead of a masking pass.

`like(text)` is a pattern of which this holds: a text that matches it has the same template (bot.correlate.masking) as
`text`. It knows only parts whose masking cannot depend on their content: words, numbers, hexadecimal, UUIDs, addresses,
times. Where a line holds anything else (quotes, paths, mixed identifiers) there is no pattern, and the line is masked.
"""

from __future__ import annotations

import re

from bot.correlate.masking import METHOD, SURE, SURE_KINDS, split_sure

_MAX_TOKENS = 40
_MAX_LENGTH = 400
# Numbers whose masking does not depend on how long they are: uid=17, blk_-17, (17), [worker-3], eth0, 512MB
_PLAIN = re.compile(
    r"(?:[A-Za-z_=#,()\[\]{}<>|.]|:(?!.*:)|-(?=[0-9]+(?![-0-9]))"
    r"|(?<![A-Za-z0-9])0x[0-9a-f]{1,32}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[A-Za-z]*[g-zG-Z][A-Za-z]*[0-9]+(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9])[0-9]+(?:[KMGT]i?B|[num]s|s)?(?![A-Za-z0-9]))+"
)
_SIMPLE_QUOTE = re.compile(r"(?<![\w>])(?:\"[^\"\\\n]{0,400}\"|'[^'\\\n]{0,400}')(?!\w)")
_DIGITS = re.compile(r"[0-9]+")
_VARYING = re.compile(r"((?<![A-Za-z0-9])0x[0-9a-f]+|[0-9]+)")


RESIDUE = b"0123456789abcdef"
"""What is taken out of a line, quickly, to find the line it may be like: digits and the letters of hexadecimal."""


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
    between = " " if "  " not in text and not re.search(r"[^\S ]|^ | $", text) else r"\s+"
    return re.compile(between.join(parts) if between == " " else rf"\s*{between.join(parts)}\s*")


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
        part = f"{re.escape(before)}{SURE_KINDS[found.lastgroup or '']}{re.escape(after)}"
    elif not _DIGITS.search(token):
        part = re.escape(token)  # only this very token matches, so it does not matter what its mask is
    elif found or (_PLAIN.fullmatch(token) and "eyJ" not in token):
        part = "".join(_class_of(piece) for piece in _VARYING.split(token))
    return part


def _class_of(piece: str) -> str:
    if piece.startswith("0x"):
        return r"0x[0-9a-f]+"
    return _DIGITS.pattern if piece[:1].isdigit() else re.escape(piece)
