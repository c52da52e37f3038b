"""`reliability judge`: the protocol, line by line."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from bot.cli.judge import judge_lines


def _judge(*lines: object) -> tuple[list[dict[str, object]], str]:
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    answers, complaints = io.BytesIO(), io.BytesIO()
    judge_lines(io.BytesIO(b"\n".join(raw)), answers, complaints)
    return [json.loads(line) for line in answers.getvalue().splitlines()], complaints.getvalue().decode()


def _log(at: int, revision: str, *, failed: bool) -> dict[str, object]:
    return {
        "kind": "log", "t": at, "rt": at + 1.5, "service": "auth", "revision": revision, "trace": None,
        "severity": "ERROR" if failed else "INFO", "message": "KeyError: 'sku'" if failed else "GET /",
        "insert_id": f"{at}", "status": 500 if failed else 200, "added_later": {"a": [1]},
    }  # fmt: skip


def _episode() -> list[dict[str, object]]:
    lines: list[dict[str, object]] = [{"kind": "reset", "episode": "one"}]
    for at in range(400):
        if at == 300:
            lines.append(
                {
                    "kind": "deploy",
                    "t": 300,
                    "rt": 301,
                    "service": "auth",
                    "revision": "auth-2",
                    "prev": None,
                    "traffic": 100,
                }
            )
        lines.append(_log(at, "auth-2" if at >= 300 else "auth-1", failed=at >= 300 and at % 2 == 0))
        if at % 10 == 0:
            lines.append({"kind": "tick", "rt": at})
    return lines


def test_only_reset_and_tick_are_answered():
    config = {"kind": "config", "t": 1, "rt": 2, "service": "auth", "name": "key"}
    answers, complaints = _judge(
        {"kind": "reset"}, config, {"kind": "weather", "rain": True}, {"kind": "tick", "rt": 10}
    )

    assert answers == [{"ok": 1}, {"ok": 1}]
    assert complaints == ""


def test_a_blame_is_said_once_and_before_the_ok_of_its_tick():
    answers, _ = _judge(*_episode())

    [blame] = [answer for answer in answers if "cause" in answer]
    assert (blame["cause"], blame["service"], blame["revision"]) == ("revision", "auth", "auth-2")
    assert set(blame) == {"cause", "service", "revision", "confidence", "why"}
    assert answers[answers.index(blame) + 1] == {"ok": 1}


def test_a_reset_forgets_the_episode_before():
    answers, _ = _judge(*_episode(), *_episode())

    assert len([answer for answer in answers if "cause" in answer]) == 2


def test_a_line_that_cannot_be_read_is_told_with_its_number_and_does_not_stop_it():
    answers, complaints = _judge(b'{"kind":"reset"}', b"{not json", b"", b'{"kind":"tick"}', b'{"kind":"tick","rt":20}')

    assert answers == [{"ok": 1}, {"ok": 1}]
    assert complaints.startswith("line 2: ")
    assert "line 4: " in complaints
    assert "line 3: " not in complaints


def test_nulls_and_numbers_as_text_are_understood():
    log = {
        "kind": "log",
        "t": "5",
        "rt": 6,
        "service": "auth",
        "revision": None,
        "severity": None,
        "message": None,
        "status": "500",
    }
    counts = {
        "kind": "request_count",
        "t": 5,
        "rt": 6,
        "service": "auth",
        "revision": "r",
        "class": None,
        "count": 3.0,
        "interval": None,
    }
    answers, complaints = _judge(log, counts, {"kind": "tick", "rt": 10.5})

    assert answers == [{"ok": 1}]
    assert complaints == ""


def test_bytes_and_characters_that_are_cut_in_half_do_not_lose_their_line():
    half = b'{"kind":"log","t":1,"rt":1,"service":"auth","message":"\xff\xfe"}'
    surrogate = b'{"kind":"log","t":1,"rt":1,"service":"auth","message":"a \\ud83d b"}'

    answers, complaints = _judge({"kind": "reset"}, half, surrogate, {"kind": "tick", "rt": 5})

    assert answers == [{"ok": 1}, {"ok": 1}]
    assert complaints == ""


def test_what_the_document_shows_is_what_is_answered():
    document = (Path(__file__).parents[3] / "docs" / "attribution.md").read_text(encoding="utf-8")
    asked, answered = re.findall(r"```json\n(.*?)```", document, re.DOTALL)

    answers, complaints = _judge(*(line.encode() for line in asked.splitlines()))

    assert answers == [json.loads(line) for line in answered.splitlines()]
    assert complaints == ""
