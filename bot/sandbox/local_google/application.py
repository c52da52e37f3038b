"""The program in a container: what it does with a request, as its image says.

In this order: fail of itself, miss a dependency, refuse a password, ask other services, answer. Other services are asked
over HTTP at their own addresses, so that their request log, their revisions' shares and their failures are real.
Not imitated: retries, connection pools, caches, work that goes on after the answer.
"""

import asyncio
import random
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final

import aiohttp

from bot.sandbox.local_google.containers import Containers
from bot.sandbox.local_google.dependencies import Dependencies
from bot.sandbox.local_google.image import Answer, Call, Failure, Image, Line
from bot.sandbox.local_google.state import Registry, Revision, Service
from bot.sandbox.local_google.traces import Trace

HEALTH: Final = "/health"
CLIENT: Final = "python-httpx/0.27.2"
INNER_ADDRESS: Final = "10.8.0.7"  # where services' requests to each other come from
_DEADLINE: Final = aiohttp.ClientTimeout(total=10)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the program sees it."""

    method: str
    path: str
    trace: Trace


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer: `by_platform` when the instance was gone and the front end speaks in its place."""

    status: int
    body: str
    by_platform: bool = False


class Application:
    """Answers for every revision; one object stands for all programs."""

    def __init__(
        self, registry: Registry, containers: Containers, dependencies: Dependencies, chance: random.Random
    ) -> None:
        """Nothing can be asked until `start`."""
        self._registry = registry
        self._containers = containers
        self._dependencies = dependencies
        self._chance = chance
        self._http: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Ready to ask other services."""
        self._http = aiohttp.ClientSession(
            timeout=_DEADLINE,
            headers={"User-Agent": CLIENT, "X-Forwarded-For": INNER_ADDRESS},
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0),
        )

    async def stop(self) -> None:
        """Close the connections to other services."""
        if self._http is not None:
            await self._http.close()

    async def answer(self, service: Service, revision: Revision, asked: Asked) -> Answered:
        """Do the work that the request asks for, print what is printed meanwhile, and answer."""
        image = revision.image
        failure = self._own_failure(image, asked) or self._missing(image, asked.path)
        if failure is None:
            await self._take(image.latency)
            if asked.method == "POST" and self._chance.random() < image.unauthorized_ratio:
                return Answered(401, HTTPStatus.UNAUTHORIZED.phrase)
            failure = await self._ask_others(service, image, asked)
        if failure is None:
            return await self._answer_well(service, revision, asked)
        await self._take(failure.latency)
        await self._containers.print_lines(service, revision, failure.lines, asked.trace)
        return Answered(failure.status, HTTPStatus(failure.status).phrase, failure.by_platform)

    def _own_failure(self, image: Image, asked: Asked) -> Failure | None:
        if asked.path == HEALTH and image.healthy is not None:
            return None if image.healthy else image.failure
        return image.failure if self._chance.random() < image.fail_ratio else None

    def _missing(self, image: Image, path: str) -> Failure | None:
        for need in image.needs:
            if path in need.paths and not self._dependencies.answers(need.dependency):
                return need.without
        return None

    async def _ask_others(self, service: Service, image: Image, asked: Asked) -> Failure | None:
        for call in image.calls:
            if asked.path in call.paths:
                failure = await self._ask(service, call, asked.trace)
                if failure is not None:
                    return failure
        return None

    async def _ask(self, service: Service, call: Call, trace: Trace) -> Failure | None:
        other = self._registry.find(service.place, call.service)
        if self._http is None or other is None:
            return _refused(call, "no answer")
        try:
            async with self._http.get(f"{other.pb.uri}{call.path}", headers=trace.headers()) as answer:
                if answer.status >= 400:
                    return _refused(call, f"{answer.status} {answer.reason}")
                said = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError):
            return _refused(call, "no answer")
        except ValueError:  # not JSON
            return call.unusable
        return None if isinstance(said, dict) and said.keys() >= set(call.reads) else call.unusable

    async def _answer_well(self, service: Service, revision: Revision, asked: Asked) -> Answered:
        answers = revision.image.answers.get(asked.path, (Answer(HTTPStatus.OK.phrase),))
        answer = self._chance.choices(answers, [one.weight for one in answers])[0]
        await self._containers.print_lines(service, revision, answer.lines, asked.trace)
        return Answered(200, answer.body)

    async def _take(self, latency: tuple[float, float]) -> None:
        await asyncio.sleep(self._chance.uniform(*latency))


def _refused(call: Call, answer: str) -> Failure:
    return replace(call.refused, lines=tuple(_filled(line, answer) for line in call.refused.lines))


def _filled(line: Line, answer: str) -> Line:
    return replace(line, text=line.text.replace("{answer}", answer))
