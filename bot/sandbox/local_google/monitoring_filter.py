"""The filter language of Cloud Monitoring, as far as time series of one metric are chosen with it.

    conjunction = disjunction { [ "AND" ] disjunction }          juxtaposition is AND
    disjunction = unary { "OR" unary }                            OR binds tighter than AND
    unary       = [ "NOT" | "-" ] ( "(" conjunction ")" | comparison )
    comparison  = selector ( "=" | "!=" | ":" ) ( string | word | function )
    function    = ( starts_with | ends_with | has_substring | monitoring.regex.full_match ) "(" string ")"
                | one_of "(" string { "," string } ")"
    selector    = metric.type | resource.type | project | ( metric | resource ) "." ( label | labels ) "." KEY

Unlike the Logging language it compares with regard to case and knows no `=~`. Everything else is refused with
INVALID_ARGUMENT, in the words of the real service where they are known. Not imitated: `group.id`, `metadata.*`, `<` and
`>`, time series selectors (`select_slo_…`), regular expressions in RE2's own syntax (Python's `re` is used).
Source: https://cloud.google.com/monitoring/api/v3/filters
"""

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from bot.sandbox.local_google.filter.tokens import Kind, Token, tokenize
from bot.sandbox.local_google.refusals import Refusal, invalid

Test: TypeAlias = Callable[[Mapping[str, str]], bool]
Match: TypeAlias = Callable[[str], bool]

LONGEST: Final = 2_048  # characters, as documented for the filters of alerting policies
_DEEPEST: Final = 50
_KEYWORDS: Final = frozenset({"AND", "OR", "NOT"})
_SELECTOR: Final = re.compile(
    r"(?P<whole>metric\.type|resource\.type|project)|(?P<of>metric|resource)\.labels?\.(?P<key>\w+|\"\w+\")"
)


class MetricFilter:
    """A compiled filter.

    Attributes:
        metric_type: the one metric that it asks for.
        keys: selectors that it looks at, in `selector`'s form.
    """

    def __init__(self, text: str) -> None:
        """Compile `text`.

        Raises:
            Refusal: INVALID_ARGUMENT.
        """
        if len(text) > LONGEST:
            raise invalid(f"Field filter is longer than {LONGEST} characters.")
        reader = _Reader(text)
        self._test = reader.whole()
        self.keys = frozenset(reader.keys)
        if len(reader.metric_types) != 1:
            raise reader.refused('must specify a restriction on "metric.type" to exactly one metric type')
        (self.metric_type,) = reader.metric_types

    def matches(self, series: Mapping[str, str]) -> bool:
        """Whether a series is chosen; its labels by selector (`metric.type`, `resource.labels.location` …)."""
        return self._test(series)


def selector(text: str) -> str | None:
    """The one form of a selector (`resource.label."x"` → `resource.labels.x`); None when it is none."""
    match = _SELECTOR.fullmatch(text)
    if match is None:
        return None
    return match["whole"] or f"{match['of']}.labels.{match['key'].strip(chr(34))}"


class _Reader:
    """Recursive descent over the tokens, straight to functions; remembers what was asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self.keys: set[str] = set()
        self.metric_types: set[str] = set()
        try:
            self._tokens = tokenize(text)
        except Refusal as refusal:
            raise self.refused(refusal.message) from None

    def refused(self, why: str) -> Refusal:
        return invalid(f'Field filter had an invalid value of "{self._text}": {why}.')

    def whole(self) -> Test:
        if self._peek().kind is Kind.END:
            raise self.refused('must specify a restriction on "metric.type" to exactly one metric type')
        test = self._conjunction()
        if self._peek().kind is not Kind.END:
            raise self._unexpected()
        return test

    def _peek(self) -> Token:
        return self._tokens[self._at]

    def _take(self, *kinds: Kind) -> Token:
        token = self._peek()
        if token.kind not in kinds or self._keyword(*_KEYWORDS):
            raise self._unexpected()
        self._at += 1
        return token

    def _unexpected(self) -> Refusal:
        token = self._peek()
        before = self._text[: token.at]
        line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1)
        what = "<EOF>" if token.kind is Kind.END else token.text
        return self.refused(f"Could not parse filter; syntax error at line {line}, column {column}, token '{what}'")

    def _keyword(self, *words: str) -> bool:
        token = self._peek()
        return token.kind is Kind.WORD and token.text in words

    def _conjunction(self) -> Test:
        parts = [self._disjunction()]
        while not (self._peek().kind in {Kind.END, Kind.CLOSE} or self._keyword("OR")):
            if self._keyword("AND"):
                self._at += 1
            parts.append(self._disjunction())
        return lambda series: all(part(series) for part in parts)

    def _disjunction(self) -> Test:
        parts = [self._unary()]
        while self._keyword("OR"):
            self._at += 1
            parts.append(self._unary())
        return lambda series: any(part(series) for part in parts)

    def _unary(self) -> Test:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self.refused("Expressions are nested too deeply")
        try:
            if self._keyword("NOT") or self._peek().kind is Kind.MINUS:
                self._at += 1
                part = self._unary()
                return lambda series: not part(series)
            if self._peek().kind is Kind.OPEN:
                self._at += 1
                inner = self._conjunction()
                self._take(Kind.CLOSE)
                return inner
            return self._comparison()
        finally:
            self._depth -= 1

    def _comparison(self) -> Test:
        left = self._take(Kind.WORD)
        key = selector(left.text)
        if key is None:
            raise self.refused(
                f"The lefthand side of each expression must be one of metric.type, resource.type, project, "
                f"metric.labels.[KEY], resource.labels.[KEY]; it is '{left.text}'"
            )
        if self._peek().kind is not Kind.OPERATOR or self._peek().text not in {"=", "!=", ":"}:
            raise self._unexpected()
        operator = self._take(Kind.OPERATOR).text
        match = self._right(key, operator)
        self.keys.add(key)
        if operator == "!=":
            return lambda series: not match(series.get(key, ""))
        return lambda series: match(series.get(key, ""))

    def _right(self, key: str, operator: str) -> Match:
        value = self._take(Kind.STRING, Kind.WORD)
        if value.kind is Kind.WORD and self._peek().kind is Kind.OPEN:
            if operator == ":":
                raise self._unexpected()
            return self._function(value)
        wanted = value.text
        if operator == ":":
            return lambda text: wanted in text
        if key == "metric.type" and operator == "=":
            self.metric_types.add(wanted)
        return lambda text: text == wanted

    def _function(self, name: Token) -> Match:
        self._take(Kind.OPEN)
        arguments = [self._take(Kind.STRING).text]
        while self._peek().kind is Kind.COMMA:
            self._at += 1
            arguments.append(self._take(Kind.STRING).text)
        self._take(Kind.CLOSE)
        first, only = arguments[0], len(arguments) == 1
        match name.text:
            case "one_of":
                return lambda text: text in arguments
            case "starts_with" if only:
                return lambda text: text.startswith(first)
            case "ends_with" if only:
                return lambda text: text.endswith(first)
            case "has_substring" if only:
                return lambda text: first in text
            case "monitoring.regex.full_match" if only:
                return self._pattern(first)
            case _:
                raise self.refused(f"Function {name.text}() is not known or does not take these arguments")

    def _pattern(self, text: str) -> Match:
        try:
            pattern = re.compile(text)
        except re.error as error:
            raise self.refused(f"Invalid regular expression '{text}': {error}") from None
        return lambda value: pattern.fullmatch(value) is not None
