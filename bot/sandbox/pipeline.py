"""The sandbox's CI: a small project with real tests, a real pytest over it, and reports sent to the bot over the wire.

The project is laid out beside a copy of the catalog, so that the bot's reruns run in the same files as the pipeline
does. It is broken the way such projects are: the package is in `backend/`, the tests are run from above it, and nothing
says so to Python. `fix` adds the two lines that were missing.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

SUITE: Final = "e2e-staging"
TESTS: Final = "tests/e2e/staging"
COLLECT: Final = (sys.executable, "-m", "pytest", "--collect-only", "-q", TESTS)
SENDS_FOR_S: Final = 10.0
COLLECTS_WITHIN_S: Final = 60.0

_MEND: Final = "pytest.ini"
_FILES: Final[Mapping[str, str]] = {
    "backend/shop/__init__.py": "",
    "backend/shop/client.py": '''\
"""What the end-to-end tests talk to staging with."""


def sign_in(email: str) -> dict[str, str]:
    return {"account": email.partition("@")[0], "plan": "team"}


def ask(question: str) -> str:
    return f"You asked: {question}"
''',
    f"{TESTS}/test_sign_in.py": """\
import pytest

from shop.client import sign_in


@pytest.mark.parametrize("email", ["ana@acme.example", "bo@acme.example", "cy@acme.example"])
def test_people_can_sign_in(email):
    assert sign_in(email)["account"]


def test_the_plan_is_known():
    assert sign_in("ana@acme.example")["plan"] == "team"
""",
    f"{TESTS}/test_first_answer.py": """\
from shop.client import ask, sign_in


class TestFirstAnswer:
    def test_a_question_gets_an_answer(self):
        assert ask("What does it cost?")

    def test_the_answer_is_about_the_question(self):
        assert "cost" in ask("What does it cost?")

    def test_it_works_right_after_signing_in(self):
        assert sign_in("ana@acme.example")
        assert ask("And now?")
""",
    f"{TESTS}/test_conversations.py": """\
from shop.client import ask


def test_a_second_question_is_answered_too():
    assert ask("one") != ask("two")


def test_an_empty_question_is_answered():
    assert ask("")
""",
}


class NotSent(Exception):
    """The bot did not take a report; the text says why."""


@dataclass(frozen=True)
class Printed:
    """What a run of pytest printed, and its exit code."""

    output: bytes
    exit_code: int


@dataclass(frozen=True)
class Pipeline:
    """Attributes:
    project: directory of the sample project. bot: its address, "http://127.0.0.1:8080". secret: whsec_….
    """

    project: Path
    bot: str
    secret: str

    def lay_out(self) -> None:
        """Write the project as it was before anybody fixed it."""
        for name, text in _FILES.items():
            path = self.project / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (self.project / _MEND).unlink(missing_ok=True)

    def fix(self) -> None:
        """Say where the package is: the commit that makes the tests be found again."""
        (self.project / _MEND).write_text("[pytest]\npythonpath = backend\n", encoding="utf-8")

    async def collect(self) -> Printed:
        """Run `pytest --collect-only -q` as the pipeline does: in the project's root, with an environment of its own."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"}
        child = await asyncio.create_subprocess_exec(
            *COLLECT,
            cwd=self.project,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(COLLECTS_WITHIN_S):
                output, _ = await child.communicate()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return Printed(output, child.returncode or 0)

    async def send(self, printed: Printed, *, commit: str, branch: str = "main", suite: str = SUITE) -> None:
        """Send what a pipeline would: the output, its exit code, and what was tested.

        Raises:
            NotSent: the bot refused it, or did not answer for `SENDS_FOR_S`.
        """
        query = {"suite": suite, "commit": commit, "branch": branch, "exit_code": str(printed.exit_code)}
        deadline = time.monotonic() + SENDS_FOR_S
        delivery = f"msg_{uuid.uuid4().hex}"
        async with aiohttp.ClientSession() as http:
            while True:
                headers = self._signed(delivery, printed.output)
                try:
                    async with http.post(
                        f"{self.bot}/events/test-run", params=query, data=printed.output, headers=headers
                    ) as answer:
                        if answer.status < 300:
                            return
                        why = f"{answer.status}: {(await answer.text())[:200]}"
                        if answer.status < 500:
                            raise NotSent(why)
                except aiohttp.ClientError as error:
                    why = str(error)
                if time.monotonic() >= deadline:
                    raise NotSent(why)
                await asyncio.sleep(0.5)

    def _signed(self, delivery: str, body: bytes) -> dict[str, str]:
        """The headers of Standard Webhooks."""
        at = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signature = hmac.digest(key, f"{delivery}.{at}.".encode() + body, hashlib.sha256)
        return {
            "webhook-id": delivery,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
            "Content-Type": "text/plain; charset=utf-8",
        }
