"""Start containers, print what they print, and let those that cannot live die again and again.

One instance stands for all of a revision. Not imitated: scaling, more than one instance, shutdown signals.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from bot.sandbox.local_google.background import Background
from bot.sandbox.local_google.conditions import Trouble, image_not_found, never_listened
from bot.sandbox.local_google.entries import Recorder, Source
from bot.sandbox.local_google.image import Crash, Line
from bot.sandbox.local_google.pace import Pace
from bot.sandbox.local_google.state import Revision, Service
from bot.sandbox.local_google.traces import Trace

_STARTED: Final = (
    "Starting new instance. Reason: DEPLOYMENT_ROLLOUT - Instance started due to traffic shifting between revisions due "
    "to deployment, traffic split adjustment, or deployment health check."
)


class Containers:
    """The instances behind the revisions."""

    def __init__(
        self,
        recorder: Recorder,
        background: Background,
        pace: Pace,
        clock: Callable[[], datetime],
        chance: random.Random,
    ) -> None:
        """Nothing runs yet."""
        self._recorder = recorder
        self._background = background
        self._pace = pace
        self._clock = clock
        self._chance = chance
        self._dying: dict[tuple[str, str], Callable[[], bool]] = {}

    def source(self, service: Service, revision: Revision) -> Source:
        """Whom the revision's entries are about."""
        return Source(service.place, service.name, revision.name, revision.instance)

    async def boot(self, service: Service, revision: Revision) -> Trouble | None:
        """Start one instance for the deployment's health check; None = it listens, else why not."""
        await asyncio.sleep(self._pace.provision.total_seconds())
        if not revision.image.pullable:
            return image_not_found(revision.pb.containers[0].image)
        source, image = self.source(service, revision), revision.image
        self._recorder.system(source, _STARTED, "INFO")
        await self.print_lines(service, revision, image.boot)
        if image.dies_at_boot is not None:
            await self._die(service, revision, image.dies_at_boot)
            return self._probe_failed(service, revision, "CANCELLED")
        if image.binds(revision.port) != revision.port:
            await asyncio.sleep(self._pace.startup_limit.total_seconds())
            return self._probe_failed(service, revision, "DEADLINE_EXCEEDED")
        await asyncio.sleep(image.startup_seconds)
        probe = f'Default STARTUP TCP probe succeeded after 1 attempt for container "{service.name}-1" on port {revision.port}.'
        self._recorder.system(source, probe, "INFO")
        if image.crash is not None:
            self._background.start(self._die(service, revision, image.crash), f"first death of {revision.name}")
        return None

    def _probe_failed(self, service: Service, revision: Revision, status: str) -> Trouble:
        self._recorder.system(
            self.source(service, revision),
            f'Default STARTUP TCP probe failed 1 time consecutively for container "{service.name}-1" on port '
            f"{revision.port}. The instance was not started. Connection failed with status {status}.",
            "ERROR",
        )
        return never_listened(service.place, service.name, revision.name, revision.port)

    async def print_lines(
        self, service: Service, revision: Revision, lines: Iterable[Line], trace: Trace | None = None
    ) -> None:
        """Print with the pauses that the lines ask for; all lines of one call come from one worker.

        `trace` is of the request that they are about, if any.
        """
        source, pid = self.source(service, revision), str(self._chance.randint(2, 60))
        port = str(revision.image.binds(revision.port) or revision.port)
        for line in lines:
            if line.after:
                await asyncio.sleep(line.after)
            moment = self._clock().strftime("%Y-%m-%d %H:%M:%S +0000")
            text = line.text.replace("{time}", moment).replace("{pid}", pid).replace("{port}", port)
            self._recorder.line(source, line, text, trace)

    async def _die(self, service: Service, revision: Revision, crash: Crash) -> None:
        await self.print_lines(service, revision, crash.lines)
        self._recorder.system(self.source(service, revision), f"Container called exit({crash.exit_code}).", "WARNING")

    def keep_wanted(self, service: Service) -> None:
        """Containers that cannot live are restarted while their revision gets traffic, and left alone when not."""
        wanted = service.serving()
        for revision in service.revisions.values():
            key = (service.name, revision.name)
            if revision.name in wanted and revision.image.crash is not None and key not in self._dying:
                work = self._die_again_and_again(service, revision, revision.image.crash)
                self._dying[key] = self._background.start(work, f"crash loop of {revision.name}")
            elif revision.name not in wanted and key in self._dying:
                self._dying.pop(key)()

    async def _die_again_and_again(self, service: Service, revision: Revision, crash: Crash) -> None:
        while True:
            await asyncio.sleep(crash.every)
            await self.print_lines(service, revision, revision.image.boot)
            await self._die(service, revision, crash)
