import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.correlate import fingerprint, mask

CASES = Path(__file__).parents[2] / "cases" / "fingerprints"
FILES = sorted(CASES.glob("*.json"))

LINE_PARTS = st.sampled_from(
    [
        *(
            "'",
            '"',
            "`",
            "/",
            "\\",
            ":",
            "::",
            "@",
            ".",
            "-",
            "_",
            "<",
            ">",
            "<num>",
            " ",
            "\n",
            "0",
            "7",
            "12",
            "0x",
            "ff",
        ),
        *(
            "a",
            "e",
            "T",
            "Z",
            "ms",
            "http://",
            "x@y.zz",
            "1.2.3.4",
            "2025-09-15",
            "14:03:11",
            "+0000",
            "00283-qab",
            "é",
            "\x1b[31m",
        ),
    ]
)
LOG_LIKE = st.lists(LINE_PARTS, max_size=40).map("".join)
ANY_TEXT = st.text(st.characters(), max_size=200) | LOG_LIKE  # surrogates and NULs included


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_recorded_lines_share_a_fingerprint_within_a_group_and_only_there(path):
    groups = json.loads(path.read_text(encoding="utf-8"))["groups"]

    names = [{fingerprint(text) for text in group} for group in groups]

    assert [len(n) for n in names] == [1] * len(groups)
    assert len(set().union(*names)) == len(groups)


@given(ANY_TEXT)
@example("it's 5' and '6'")
@example("a::1 1::a ::")
def test_masking_twice_is_masking_once(text):
    assert mask(mask(text)) == mask(text)


@given(st.integers(min_value=0, max_value=10**30))
def test_an_order_number_never_splits_a_group(number):
    assert fingerprint(f"order {number} of customer 17 failed") == fingerprint("order 1 of customer 2 failed")


@given(st.uuids(), st.ip_addresses(), st.datetimes(), st.floats(min_value=0, max_value=1e6, allow_nan=False))
def test_ids_addresses_and_times_never_split_a_group(uuid, address, at, took):
    line = f"{at.isoformat()} request {uuid} from {address} took {took:.3f}ms"

    assert fingerprint(line) == fingerprint(
        "2025-09-15T14:03:11 request 123e4567-e89b-12d3-a456-426614174000 from 10.0.0.1 took 1.000ms"
    )


@given(ANY_TEXT)
def test_any_text_has_a_versioned_fingerprint(text):
    name = fingerprint(text)

    assert name.startswith("v1:")
    assert len(name) == 3 + 16
    assert name == fingerprint(text)


@given(st.text(alphabet="abcdefghij ", min_size=1), st.text(alphabet="abcdefghij ", min_size=1))
def test_different_words_are_never_merged(one, other):
    same_words = one.split() == other.split()

    assert (fingerprint(one) == fingerprint(other)) == same_words


def test_the_fingerprint_is_the_same_in_another_process():
    text = "order 17 of 'x' failed"
    script = f"from bot.correlate import fingerprint; print(fingerprint({text!r}))"

    printed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()

    assert printed == fingerprint(text)


def test_recursion_depth_does_not_split_a_group():
    def traceback(depth):
        frames = '  File "/app/app/tree.py", line 7, in walk\n    walk(node.left)\n' * depth
        return f"Traceback (most recent call last):\n{frames}RecursionError: maximum recursion depth exceeded"

    assert fingerprint(traceback(3)) == fingerprint(traceback(30))


def test_a_traceback_longer_than_what_is_looked_at_still_has_its_exception():
    frames = "".join(f'  File "/app/app/m{i}.py", line 7, in f\n    {"x" * 400}\n' for i in range(100))

    one = fingerprint(f"Traceback (most recent call last):\n{frames}ValueError: a")
    other = fingerprint(f"Traceback (most recent call last):\n{frames}KeyError: a")

    assert one != other


HOSTILE = [
    "1:" * 50_000,
    "'a " * 33_000,
    "/a" * 50_000,
    "a1" * 50_000,
    "1-" * 50_000,
    "::1" * 33_000,
    "a@" * 50_000,
    "\n" * 100_000,
    " \t" * 50_000,
    'File "' * 16_000,
    "\n    at a (" * 10_000,
    "a." * 50_000,
    "\x00" * 100_000,
    "\ud800" * 100_000,
]


@pytest.mark.parametrize("line", HOSTILE, ids=lambda line: repr(line[:12]))
def test_a_hostile_line_of_100_kb_costs_little(line):
    started = time.perf_counter()

    masked = mask(line)
    fingerprint(line)

    assert time.perf_counter() - started < 2
    assert mask(masked) == masked


@settings(max_examples=25)
@given(st.lists(ANY_TEXT, max_size=20))
def test_masking_ignores_what_came_before(texts):
    forwards = [mask(t) for t in texts]

    assert [mask(t) for t in reversed(texts)] == forwards[::-1]
