import json
import os
import random
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.correlate import fingerprint, fingerprints, likeness, mask, masking
from bot.correlate.likeness import Kinds, like
from bot.correlate.masking import shape_of
from tests.bench import corpus
from tests.bench.fingerprints import quality

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


FORMATS = st.lists(
    st.sampled_from(
        [
            "#",
            "#.#",
            "#,#",
            "-#",
            "(#)",
            "[#]",
            "#:",
            "#,",
            "#ms",
            "#MB",
            "#GB",
            "#x",
            "#T#",
            "x#",
            "eth#",
            "v#.#",
            "ab#",
            "#ab",
            "a#b",
            "0x#",
            "0x#ff",
            "#-#",
            "#-#-#",
            "#:#",
            "#:#:#",
            "::#",
            "#::#",
            "/#",
            "/#/#",
            "#/#",
            "#.#.#.#",
            "#.#.#.#:#",
            "node-#",
            "-#-abcde",
            "auth-#-qab",
            "blk_-#",
            "uid=#",
            "user=#x",
            "t=#.#",
            "#%",
            "#",
            "#_#",
            "_#_",
            "a.b.#",
            "x.#.y",
            "#-#-#T#:#:#Z",
            "order",
            "of",
            "MB",
            "Jan",
            "'#'",
            '"GET',
            '#"',
            '"#"',
            "@#",
            "x@#",
            "eyJabcde.#.#",
            "utf#le",
            "S#Client",
            "#e#",
            "{#",
            "`#`",
            "Jan # #:#:# elm sshd[#]:",
            "<#>Jan # #:#:# elm# kernel:",
            "[Thu Jan # #:#:# #]",
            "- # #.#.# ax#",
            "R#-M#-N#-C:J#-U#",
            "R#-MF-I:J#",
            "a_#_#_m_#_#",
            "a_#_b_#",
            "Failed password for x# from",
            "session closed for user",
            "invalid user",
            "user=elm",
            "user=root",
            "login=#",
            "a#b#c#d",
            "x@y.zz",
            "/a/b#",
            "/a#",
            "'a b'",
            "#.#ms",
            "#.#s",
            "name=com.a.b",
            "com.a.b/.c.D",
            "K#~#~a~~#",
            "\\\\#a\\\\#",
            "auth-#a#b#c#d-#",
            "from",
        ]
    ),
    min_size=1,
    max_size=6,
).map(" ".join) | st.text("#:.,-/=_ abx0[](\"'", min_size=1, max_size=14)


SYSTEM = [
    "Jan 3 05:06:07",
    "kernel:",
    "sshd[17]:",
    "Failed password for",
    "from",
    "session closed for user",
    "invalid user",
    "<34>Jan",
    "user=elm",
    "[5]:",
    "3",
]


@settings(max_examples=150)
@given(FORMATS, st.randoms(use_true_random=False))
@example("#-#-#T#:#:#Z", random.Random(1))
@example("auth-#-qab -#-abcde", random.Random(2))
def test_what_was_seen_before_does_not_change_an_answer(form, rng):
    for _ in range(40):
        text = re.sub("#", lambda _: str(rng.randrange(10 ** rng.randrange(1, 13))), form)

        assert fingerprint(text) == fingerprints._by_reading(text, shape_of(text))[0], text


SWAPS = [
    "elm",
    "oak",
    "Jan",
    "ms",
    "add",
    "deadbeef",
    "17",
    "0x1f",
    "a1b2c3d",
    "x7Q0p2",
    "1.5s",
    "/a/b",
    "'a b'",
    "x@y.zz",
    "root",
    "10.0.0.1:80",
    "1:2:3",
    "S3Client",
    "k8s",
    "utf8le",
]


@settings(max_examples=60)
@given(st.lists(st.sampled_from([*SWAPS, *SYSTEM]), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_a_pattern_never_matches_a_line_of_another_template(words, rng):
    line = " ".join(words)
    pattern = like(line)

    for _ in range(20):
        other = " ".join(rng.choice(SWAPS) if rng.random() < 0.5 else word for word in words)
        if pattern and pattern.fullmatch(other):
            assert masking.template(shape_of(other)) == masking.template(shape_of(line)), (line, other)


def test_a_seeded_burst_is_named_as_by_a_fresh_process():
    lines = [line for _, line in corpus.labelled(4_000, seed=7)]

    warm = [fingerprint(line) for line in lines]

    assert warm == [fingerprints._by_reading(line, shape_of(line))[0] for line in lines]


def test_labelled_lines_are_grouped_without_a_false_merge():
    truth = corpus.labelled(6_000, seed=11)

    precision, accuracy = quality([template for template, _ in truth], [fingerprint(line) for _, line in truth])

    assert precision >= 0.99
    assert accuracy >= 0.95


@pytest.mark.parametrize("seed", ["0", "1"])
def test_hash_randomisation_does_not_change_a_fingerprint(seed):
    text = 'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\nValueError: x'
    script = f"from bot.correlate import fingerprint; print(fingerprint({text!r}), fingerprint('a 1 b'))"
    environment = {**os.environ, "PYTHONHASHSEED": seed}

    printed = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment
    ).stdout.split()

    assert printed == [fingerprint(text), fingerprint("a 1 b")]


def test_a_flood_of_unrelated_lines_leaves_every_memory_bounded():
    for number in range(40_000):
        fingerprint(f"{number:x} {'qwrtzpsg'[number % 8] * (number % 40 + 1)}{str(number).translate(LETTERS)}")

    assert len(fingerprints._texts) <= fingerprints._MAX_TEXTS
    assert len(fingerprints._kinds) <= likeness._MAX_COUNTED + 4 * likeness._MAX_KINDS + likeness._MAX_KNOWN
    assert len(fingerprints._shapes) <= fingerprints._MAX_SHORT
    assert len(fingerprints._templates) <= fingerprints._MAX_SHORT
    assert len(masking._TOKENS) <= masking._MAX_TOKENS


LETTERS = str.maketrans("0123456789", "ghijklmnop")


def test_a_status_in_the_name_of_an_exception_keeps_errors_apart():
    def traceback(kind):
        return f'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\n{kind}: x'

    names = [{fingerprint(traceback(kind)) for _ in range(20)} for kind in ("Http404", "Http500", "Http404", "Http403")]
    for number in range(20):  # once more with other messages, so that no memory of the text itself answers
        names[0].add(fingerprint(traceback("Http404") + str(number)))
        names[1].add(fingerprint(traceback("Http500") + str(number)))

    assert [len(found) for found in names] == [1, 1, 1, 1]
    assert len(set().union(*names)) == 3


@pytest.mark.parametrize(
    ("text", "sibling"),
    [
        ("order 17 took 2.5 ms", "order 4 took 1234.75 ms"),
        ("block blk_-17 (uid=0) on eth0", "block blk_-4711 (uid=33) on eth12"),
        ("from 10.0.0.1:80 [worker-3]", "from 192.168.1.77:65000 [worker-12]"),
        (
            "request 123e4567-e89b-12d3-a456-426614174000 at 2025-09-15T14:03:11Z",
            "request 00000000-aaaa-bbbb-cccc-dddddddddddd at 2024-01-01T00:00:00Z",
        ),
        ('10.0.0.1 "GET /a/1 HTTP/1.1" 500', '10.0.0.2 "GET /a/9/b?c HTTP/2" 502'),
        ("token x7Qp0r2 of user=alice", "token a1b2c3z of user=bob"),
        ("pod auth-7d9f8b6c5d-x2x9z took 1.5s", "pod auth-5c6b8f9d7d-abcde took 12ms"),
    ],
)
def test_a_line_that_differs_in_values_only_is_recognised_without_masking_it(text, sibling):
    assert like(text).fullmatch(sibling)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("order 17 failed", "order x failed"),
        ("lock 0x1f held", "lock 0xzz held"),
        ('"GET /a" 500', '"POST /a" 500'),
        ("session of user=alice", "session of user=root"),
        ("session 1a2b3c4d5e is gone", "session abcdefabcd is gone"),
    ],
)
def test_a_line_that_differs_in_more_is_not(text, other):
    assert not like(text).fullmatch(other)


def test_a_traceback_is_not_taken_for_a_line_of_the_same_words():
    line = "TypeError: x  at f (/app/a.js:1:2)"

    assert not (pattern := like(line)) or not pattern.fullmatch("TypeError: x\n    at f (/app/a.js:1:2)")
    assert not like('File "/a.py", line 3, in /x/y').fullmatch(r'File "/a.py", line 3, in /x\nKeyError')
    assert not like("in https://a.example/x").fullmatch(r"in https://a.example/x\nKeyError")
    assert like("disk  17 failed").fullmatch("disk 4 failed")
    assert not like("disk  17 failed").fullmatch("disk\n4 failed")


def test_a_kind_is_known_by_its_words_though_paths_and_quotes_vary():
    kinds = Kinds()
    for number in range(8):
        line = f"cannot open /srv/{number}/x.txt for 'job {number}'"
        kinds.count(line, _residue(line), "v1:a")

    other = "cannot open /var/lib/zebra/list for 'nightly export'"

    assert kinds.near(other, _residue(other)) == "v1:a"
    assert kinds.near("cannot open the door", _residue("cannot open the door")) is None


def test_a_flood_in_which_nothing_is_said_twice_is_not_remembered_line_by_line():
    for number in range(3 * fingerprints._MAX_TEXTS):
        fingerprint(f"order {number} of flood 7 failed")

    assert fingerprints._pause > 0
    assert fingerprint("order 1 of flood 7 failed") == fingerprint("order 99 of flood 7 failed")


def _residue(text):
    return text.encode().translate(None, likeness.RESIDUE)


@pytest.mark.parametrize("text", ["", "a\nb 1", '{"a": 1}', "é 1", "it's 1", "a" * 500])
def test_of_an_unusual_line_no_pattern_is_told(text):
    assert like(text) is None


PLACES = [
    (
        'Traceback (most recent call last):\n  File "/app/app/{}.py", line 4, in handle\n    x\nKeyError: 1',
        "views",
        "admin",
    ),
    ("Error: boom\n    at handle (/app/src/routes/{}.js:1:2)\n    at node:internal/main:1:1", "login", "logout"),
    ("Error: boom\n    at /app/src/routes/{}.js:1:2\n    at node:internal/main:1:1", "login", "logout"),
    ("panic: x\n\ngoroutine 1 [running]:\nmain.handle()\n\t/src/api/{}.go:3 +0x1\n", "login", "logout"),
    ("thread 'main' panicked at src/{}.rs:4:10:\ncalled `Option::unwrap()` on a `None` value", "login", "logout"),
]


@pytest.mark.parametrize(("text", "one", "other"), PLACES)
def test_functions_of_one_name_in_different_files_are_different_errors(text, one, other):
    assert fingerprint(text.format(one)) != fingerprint(text.format(other))
    assert fingerprint(text.format(one)) == fingerprint(
        text.format(one).replace(":1:2", ":7:9").replace("line 4", "line 8")
    )


def test_a_build_number_in_a_frames_folder_does_not_count():
    text = "Error: boom\n    at handle (/app/build-{}/routes/login.js:1:2)\n    at node:internal/main:1:1"

    assert fingerprint(text.format("4711")) == fingerprint(text.format("12"))
