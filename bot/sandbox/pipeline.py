"""The sandbox's CI: a small project with real tests, a real pytest over it, and reports sent to the bot over the wire.

The project is laid out beside a copy of the catalog, so that the bot's reruns run in the same files as the pipeline
does. What is in it, and how it breaks, is in `bot.sandbox.sample_project`.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import shutil
import sys
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from bot.sandbox.sample_project import FILES, TESTS, Change

SUITE: Final = "e2e-staging"
CATALOG: Final = "reliability.yaml"
COLLECT: Final = (sys.executable, "-m", "pytest", "--collect-only", "-q", TESTS)
RUN: Final = (sys.executable, "-m", "pytest", "-q", TESTS)
SENDS_FOR_S: Final = 10.0
ENDS_WITHIN_S: Final = 60.0

_TEXT: Final = "text/plain; charset=utf-8"
_XML: Final = "application/xml"


class NotSent(Exception):
    """The bot did not take a report; the text says why."""


@dataclass(frozen=True)
class Report:
    """What a run of pytest left to send, its exit code, and the last line that it printed."""

    body: bytes
    content_type: str
    exit_code: int
    last_line: str


@dataclass(frozen=True)
class Pipeline:
    """Attributes:
    project: directory of the sample project. bot: its address, "http://127.0.0.1:8080". secret: whsec_….
    """

    project: Path
    bot: str
    secret: str

    def lay_out(self, *changes: Change) -> None:
        """Write the project anew, whole but for these changes; the catalog beside it stays."""
        self.project.mkdir(parents=True, exist_ok=True)
        for left in self.project.iterdir():
            if left.name != CATALOG:
                shutil.rmtree(left) if left.is_dir() else left.unlink()
        self.change(FILES)
        for change in changes:
            self.change(change)

    def change(self, files: Change) -> None:
        """Write these files; None takes one away, and directories that are left empty, as git does."""
        for name, text in files.items():
            path = self.project / name
            if text is None:
                path.unlink(missing_ok=True)
                for folder in path.relative_to(self.project).parents[:-1]:
                    if not any(entry.name != "__pycache__" for entry in (self.project / folder).iterdir()):
                        shutil.rmtree(self.project / folder)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")

    async def collect(self) -> Report:
        """Run `pytest --collect-only -q`; what it printed is the report."""
        output, exit_code = await self._pytest(*COLLECT)
        return Report(output, _TEXT, exit_code, _last_line(output))

    async def run(self) -> Report:
        """Run all tests; the JUnit file is the report."""
        junit = self.project / "report.xml"
        output, exit_code = await self._pytest(*RUN, f"--junitxml={junit}")
        body = await asyncio.to_thread(junit.read_bytes)
        return Report(body, _XML, exit_code, _last_line(output))

    async def _pytest(self, *command: str) -> tuple[bytes, int]:
        """As the pipeline does: in the project's root, with an environment of its own."""
        environment = {"PATH": os.environ.get("PATH", os.defpath), "PYTHONDONTWRITEBYTECODE": "1"}
        child = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.project,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                output, _ = await child.communicate()
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return output, child.returncode or 0

    async def send(self, report: Report, *, commit: str, branch: str = "main", suite: str = SUITE) -> None:
        """Send what a pipeline would: the report, the exit code, and what was tested.

        Raises:
            NotSent: the bot refused it, or did not answer for `SENDS_FOR_S`.
        """
        query = {"suite": suite, "commit": commit, "branch": branch, "exit_code": str(report.exit_code)}
        deadline = time.monotonic() + SENDS_FOR_S
        delivery = f"msg_{uuid.uuid4().hex}"
        async with aiohttp.ClientSession() as http:
            while True:
                headers = self._signed(delivery, report)
                try:
                    async with http.post(
                        f"{self.bot}/events/test-run", params=query, data=report.body, headers=headers
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

    def _signed(self, delivery: str, report: Report) -> dict[str, str]:
        """The headers of Standard Webhooks."""
        at = str(int(time.time()))
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        signature = hmac.digest(key, f"{delivery}.{at}.".encode() + report.body, hashlib.sha256)
        return {
            "webhook-id": delivery,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
            "Content-Type": report.content_type,
        }


def _last_line(output: bytes) -> str:
    return output.decode(errors="replace").strip().rpartition("\n")[2].strip("= ")
