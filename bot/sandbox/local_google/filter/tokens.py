r"""Cut a Logging query into tokens.

Comments run from `--` to the end of the line. Quoted strings take the escapes of the real language (`\"`, `\\`, `\n`,
`\t`, `\r`, `\xHH`, `\uHHHH`, three octal digits); any other escape is kept as it stands, so that regular expressions need
no second backslash. After a comparison operator an unquoted value may contain `:` (time stamps as gcloud writes them).
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.sandbox.local_google.refusals import invalid


class Kind(StrEnum):
    """What a token is."""

    OPEN = "("
    CLOSE = ")"
    OPERATOR = "operator"
    STRING = "string"  # quoted
    WORD = "word"  # unquoted: a path, a value, a keyword or a bare term
    COMMA = ","
    MINUS = "-"  # negation, directly in front of a term
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `at` is its offset in the query, `glued` says that no space stands before it."""

    kind: Kind
    text: str
    at: int
    glued: bool = False


_SPACE: Final = re.compile(r"(?:\s+|--[^\n]*)+")
_OPERATOR: Final = re.compile(r"=~|!~|!=|<=|>=|=|<|>|:")
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"' + r"|'((?:[^'\\]|\\.)*)'", re.DOTALL)
_WORD: Final = re.compile(r'(?:\."(?:[^"\\]|\\.)*"|[^\s()"\'=<>!:,\\])+')
_VALUE: Final = re.compile(r'[^\s()"\'=<>!,\\]+')
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-3][0-7]{2})|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def unescape(body: str) -> str:
    """The text between the quotes with its escapes resolved."""

    def one(match: re.Match[str]) -> str:
        hexadecimal, unicode, octal, other = match.groups()
        if hexadecimal or unicode:
            return chr(int(hexadecimal or unicode, 16))
        if octal:
            return chr(int(octal, 8))
        return _PLAIN.get(other, match.group(0))

    return _ESCAPE.sub(one, body)


def tokenize(query: str) -> list[Token]:
    """All tokens in order, END last.

    Raises:
        Refusal: INVALID_ARGUMENT for a character or an open quote that the language does not know.
    """
    tokens: list[Token] = []
    at = 0
    while True:
        space = _SPACE.match(query, at)
        start, at = at, space.end() if space else at
        if at >= len(query):
            tokens.append(Token(Kind.END, "", at))
            return tokens
        glued = start == at
        token, at = _next(query, at, glued=glued, after_operator=bool(tokens) and tokens[-1].kind is Kind.OPERATOR)
        tokens.append(token)


def _next(query: str, at: int, *, glued: bool, after_operator: bool) -> tuple[Token, int]:
    character = query[at]
    if character in "(),":
        return Token(Kind(character), character, at, glued), at + 1
    if character in "\"'":
        match = _STRING.match(query, at)
        if not match:
            raise invalid(f"Unparseable filter: unterminated string literal at position {at}.")
        body = match.group(1) if match.group(1) is not None else match.group(2)
        return Token(Kind.STRING, unescape(body), at, glued), match.end()
    if not after_operator:
        if operator := _OPERATOR.match(query, at):
            return Token(Kind.OPERATOR, operator.group(0), at, glued), operator.end()
        if character == "-" and at + 1 < len(query) and not query[at + 1].isspace():
            return Token(Kind.MINUS, "-", at, glued), at + 1
    word = (_VALUE if after_operator else _WORD).match(query, at)
    if not word:
        raise invalid(f"Unparseable filter: syntax error at position {at}, unexpected character {character!r}.")
    return Token(Kind.WORD, word.group(0), at, glued), word.end()
