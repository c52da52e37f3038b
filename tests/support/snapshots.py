"""Expected Block Kit as files that a person reviews: `pytest --update-snapshots` writes them anew.

A snapshot is `{"text": …, "blocks": […]}`; its `blocks` can be pasted into Slack's Block Kit Builder as they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from bot.notify.message import Message
from bot.sandbox.block_kit.check import check_message

FOLDER = Path(__file__).parents[1] / "snapshots"
OPTION = "--update-snapshots"

Compare = Callable[[str, str, Message], None]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(OPTION, action="store_true", help="write tests/snapshots/ anew instead of comparing with it")


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Compare:
    """compare(template, case, message): Slack would take it, and it is what tests/snapshots/<template>/<case>.json says."""
    update = bool(request.config.getoption(OPTION))

    def check(template: str, case: str, message: Message) -> None:
        assert problems(message) == []
        path = FOLDER / template / f"{case}.json"
        document = {"text": message.text, "blocks": list(message.blocks)}
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
            return
        assert path.exists(), f"no snapshot yet: look at the message, then run pytest {OPTION}"
        assert document == json.loads(path.read_text(encoding="utf-8")), (
            f"{path.relative_to(FOLDER)} differs; if the new message is better, run pytest {OPTION}"
        )

    return check


def problems(message: Message) -> list[str]:
    """What Slack would refuse."""
    return check_message(asdict(message) | {"blocks": list(message.blocks)})
