"""What holds for every query."""

import contextlib

from google.cloud.logging_v2 import types
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.local_google.filter import compile_filter
from bot.sandbox.local_google.filter.parser import parse
from bot.sandbox.local_google.filter.syntax import And, Node, Not, Or, Text
from bot.sandbox.local_google.refusals import Refusal

WORDS = ("red", "green", "blue", "black")

nodes: st.SearchStrategy[Node] = st.recursive(
    st.sampled_from(WORDS).map(Text),
    lambda inner: st.one_of(
        inner.map(Not),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: Or(tuple(parts))),
    ),
    max_leaves=8,
)


def written(node: Node) -> str:
    """The tree as a query with every bracket."""
    match node:
        case And(parts):
            return "(" + " AND ".join(map(written, parts)) + ")"
        case Or(parts):
            return "(" + " OR ".join(map(written, parts)) + ")"
        case Not(part):
            return f"NOT {written(part)}"
        case Text(value):
            return value
        case _:
            raise AssertionError(node)


def truth(node: Node, words: frozenset[str]) -> bool:
    """The tree's value by plain logic."""
    match node:
        case And(parts):
            return all(truth(part, words) for part in parts)
        case Or(parts):
            return any(truth(part, words) for part in parts)
        case Not(part):
            return not truth(part, words)
        case Text(value):
            return value in words
        case _:
            raise AssertionError(node)


@given(nodes, st.frozensets(st.sampled_from(WORDS)))
def test_a_written_tree_evaluates_as_plain_logic(node: Node, words: frozenset[str]):
    entry = types.LogEntry.pb()(text_payload=" ".join(words))

    assert compile_filter(written(node)).matches(entry) is truth(node, words)


@given(nodes)
def test_a_written_tree_parses_to_itself(node: Node):
    assert parse(written(node)) == node


@given(st.text())
def test_any_text_is_a_query_or_refused(text: str):
    with contextlib.suppress(Refusal):
        compile_filter(text)


@given(st.text(alphabet='ab.=~!<>:()"\\- \nANDORT*,', max_size=40))
def test_any_jumble_of_the_languages_own_characters_is_a_query_or_refused(text: str):
    with contextlib.suppress(Refusal):
        compile_filter(text)


@given(st.text(min_size=1, max_size=60))
def test_any_text_can_be_asked_for_when_it_is_quoted(text: str):
    quoted = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
    entry = types.LogEntry.pb()(text_payload=f"before {text} after")

    assert compile_filter(f"textPayload:{quoted}").matches(entry)
    assert compile_filter(quoted).matches(entry)


@given(st.integers(min_value=0, max_value=253_402_300_799), st.integers(min_value=0, max_value=999_999_999))
def test_a_time_stamp_equals_itself_to_the_nanosecond(seconds: int, nanos: int):
    entry = types.LogEntry.pb()()
    entry.timestamp.seconds, entry.timestamp.nanos = seconds, nanos
    moment = entry.timestamp.ToJsonString()

    assert compile_filter(f'timestamp="{moment}"').matches(entry)
    assert compile_filter(f'timestamp>="{moment}" timestamp<="{moment}"').matches(entry)
    assert not compile_filter(f'timestamp>"{moment}"').matches(entry)
