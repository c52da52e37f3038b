"""From a Logging query to its tree.

    query      = [ conjunction ]
    conjunction = disjunction { [ "AND" ] disjunction }         juxtaposition is AND
    disjunction = unary { "OR" unary }                           OR binds tighter than AND
    unary      = [ "NOT" | "-" ] primary
    primary    = "(" conjunction ")" | function | path operator value | term
    value      = word | string | "(" values joined by AND, OR, NOT ")"

NOT binds tightest, then OR, then AND, as Google documents it: `a OR NOT b AND NOT c OR d` is
`(a OR (NOT b)) AND ((NOT c) OR d)`. Keywords are capital letters only. Not imitated: every function except `log_id`
(`sample`, `ip_in_net`, `cast`, `regexp_extract`, `source`, `SEARCH` …), which is refused with INVALID_ARGUMENT.
"""

import re
from collections.abc import Callable
from typing import Final, cast

from bot.sandbox.local_google.filter.syntax import And, Comparison, LogId, Node, Not, Operator, Or, Text
from bot.sandbox.local_google.filter.tokens import Kind, Token, tokenize, unescape
from bot.sandbox.local_google.refusals import Refusal, invalid

LONGEST_QUERY: Final = 20_000
DEEPEST_NESTING: Final = 100
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_SEGMENT: Final = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."]+)')


def parse(query: str) -> Node:
    """The tree of `query`; blank or comment-only text is `And(())`.

    Raises:
        Refusal: INVALID_ARGUMENT when Google would not parse it, or it is longer than 20,000 characters.
    """
    if len(query) > LONGEST_QUERY:
        raise invalid(f"Filter is too long: {len(query)} characters, at most {LONGEST_QUERY} are allowed.")
    reader = _Reader(tokenize(query))
    if reader.peek().kind is Kind.END:
        return And(())
    node = reader.conjunction(reader.primary)
    if reader.peek().kind is not Kind.END:
        raise reader.unexpected()
    return node


class _Reader:
    """Recursive descent over the tokens; knows its place and how deep it stands."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def peek(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def unexpected(self) -> Refusal:
        token = self.peek()
        what = "end of filter" if token.kind is Kind.END else f"token {token.text!r}"
        return invalid(f"Unparseable filter: syntax error at position {token.at}, unexpected {what}.")

    def _keyword(self, *words: str) -> bool:
        token = self.peek()
        return token.kind is Kind.WORD and token.text in words

    def conjunction(self, primary: Callable[[], Node]) -> Node:
        parts = [self._disjunction(primary)]
        while True:
            if self._keyword("AND"):
                self._take()
            elif self.peek().kind in {Kind.END, Kind.CLOSE} or self._keyword("OR"):
                break
            parts.append(self._disjunction(primary))
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _disjunction(self, primary: Callable[[], Node]) -> Node:
        parts = [self._unary(primary)]
        while self._keyword("OR"):
            self._take()
            parts.append(self._unary(primary))
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _unary(self, primary: Callable[[], Node]) -> Node:
        if self._keyword("NOT") or self.peek().kind is Kind.MINUS:
            self._take()
            return Not(self._nested(lambda: self._unary(primary)))
        if self.peek().kind is Kind.OPEN:
            return self._group(primary)
        return primary()

    def _group(self, primary: Callable[[], Node]) -> Node:
        self._take()
        node = self._nested(lambda: self.conjunction(primary))
        if self.peek().kind is not Kind.CLOSE:
            raise self.unexpected()
        self._take()
        return node

    def _nested(self, inner: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            raise invalid("Unparseable filter: expressions are nested too deeply.")
        try:
            return inner()
        finally:
            self._depth -= 1

    def primary(self) -> Node:
        """A function, a comparison or a bare term."""
        token = self.peek()
        if token.kind not in {Kind.WORD, Kind.STRING} or self._keyword(*_KEYWORDS):
            raise self.unexpected()
        self._take()
        following = self.peek()
        if token.kind is Kind.WORD and following.kind is Kind.OPEN and following.glued and _NAME.match(token.text):
            return self._function(token)
        if following.kind is Kind.OPERATOR:
            return self._comparison(token)
        return Text(token.text)

    def _function(self, name: Token) -> Node:
        if name.text != "log_id":
            raise invalid(f"Unparseable filter: function {name.text!r} at position {name.at} is not supported.")
        self._take()
        argument = self._take()
        if argument.kind not in {Kind.STRING, Kind.WORD} or self.peek().kind is not Kind.CLOSE:
            raise invalid("Unparseable filter: log_id() takes exactly one string argument.")
        self._take()
        return LogId(argument.text)

    def _comparison(self, field: Token) -> Node:
        path = _path(field)
        operator = cast("Operator", self._take().text)

        def value() -> Node:
            token = self.peek()
            if token.kind not in {Kind.WORD, Kind.STRING} or self._keyword(*_KEYWORDS):
                raise self.unexpected()
            self._take()
            return Comparison(path, operator, token.text, quoted=token.kind is Kind.STRING)

        return self._group(value) if self.peek().kind is Kind.OPEN else value()


def _path(field: Token) -> tuple[str, ...]:
    """`labels."a.b/c".d` → ("labels", "a.b/c", "d")."""
    if field.kind is Kind.STRING:
        return (field.text,)
    segments: list[str] = []
    at = 0
    while at < len(field.text):
        match = _SEGMENT.match(field.text, at)
        if not match:
            raise invalid(f"Unparseable filter: invalid field name {field.text!r} at position {field.at}.")
        segments.append(unescape(match.group(1)) if match.group(1) is not None else match.group(2))
        at = match.end()
        if at < len(field.text):
            if field.text[at] != "." or at + 1 == len(field.text):
                raise invalid(f"Unparseable filter: invalid field name {field.text!r} at position {field.at}.")
            at += 1
    return tuple(segments)
