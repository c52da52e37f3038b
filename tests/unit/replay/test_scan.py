"""JSON objects out of whatever a file holds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from bot.replay import scan
from bot.replay.scan import Broken, objects

TWO = [{"a": 1, "text": 'quote " and brace } and é'}, {"b": [{"c": None}]}]


def _found(tmp_path: Path, content: bytes) -> list[Any]:
    path = tmp_path / "dump.json"
    path.write_bytes(content)
    return [item if isinstance(item, Broken) else item[1] for item in objects(path, lambda _size: None)]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(TWO).encode(),
        json.dumps(TWO, indent=2).encode(),
        b"\xef\xbb\xbf" + json.dumps(TWO, indent=2).encode(),
        json.dumps(TWO, indent=2).replace("\n", "\r\n").encode(),
        "\n".join(json.dumps(each) for each in TWO).encode(),
        "\r\n\r\n".join(json.dumps(each, ensure_ascii=False) for each in TWO).encode(),
        "\n".join(json.dumps(each, indent=4) for each in TWO).encode(),
        json.dumps(TWO[:1]).encode() + json.dumps(TWO[1:]).encode(),
        json.dumps(TWO).encode("utf-16"),
        gzip.compress(json.dumps(TWO).encode(), mtime=0),
    ],
    ids=["array", "indented", "bom", "crlf", "lines", "lines-crlf", "no-lines", "two-arrays", "utf-16", "gzip"],
)
def test_the_same_objects_come_out_of_every_way_to_write_them(tmp_path: Path, content: bytes) -> None:
    assert _found(tmp_path, content) == TWO


def test_an_object_may_lie_across_the_pieces_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_CHUNK", 7)

    assert _found(tmp_path, json.dumps(TWO, indent=2).encode()) == TWO


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'{"a": 1}\n{"broken": \n{"b": 2}\n', 2),
        (b'[\n  {"a": 1},\n  {"a": oops},\n  {"b": 2}\n]\n', 3),
        (b'[{"a": 1},{"a": oops, "n": {}},{"b": 2}]', 1),
        (b'{"a": 1}\nnot json at all\n{"b": 2}\n', 2),
        (b'{"a": 1}\n"text"\n{"b": 2}\n', 2),
    ],
)
def test_what_is_broken_is_told_with_its_line_and_the_rest_is_read(tmp_path: Path, content: bytes, line: int) -> None:
    first, broken, last = _found(tmp_path, content)

    assert (first, last) == ({"a": 1}, {"b": 2})
    assert isinstance(broken, Broken)
    assert broken.line == line


def test_a_file_that_ends_in_the_middle_gives_what_was_whole(tmp_path: Path) -> None:
    first, broken = _found(tmp_path, b'{"a": 1}\n{"text": "cut off he')

    assert first == {"a": 1}
    assert isinstance(broken, Broken)


def test_half_a_surrogate_pair_becomes_something_that_can_be_printed(tmp_path: Path) -> None:
    [found] = _found(tmp_path, b'{"text": "half \\ud83d"}')

    assert found["text"].encode() == b"half ?"


def test_nothing_comes_out_of_an_empty_file_and_a_nested_bomb_is_only_broken(tmp_path: Path) -> None:
    assert _found(tmp_path, b" \n") == []
    assert all(isinstance(item, Broken) for item in _found(tmp_path, b'{"a":' * 100_000))


def test_damaged_gzip_is_an_error_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"compressed|CRC|gzip"):
        _found(tmp_path, gzip.compress(json.dumps(TWO * 50).encode())[:-20])
