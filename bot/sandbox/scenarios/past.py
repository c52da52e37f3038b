"""The minutes before the sandbox started: what the users asked, in the request log, so that before and after compare.

Imitated are the requests of people and those that services made for them, with their traces; not what containers printed.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from bot.sandbox.local_google import Exchange, LocalGoogle
from bot.sandbox.local_google.application import CLIENT, INNER_ADDRESS
from bot.sandbox.local_google.image import Call, Image
from bot.sandbox.local_google.traces import new_span, new_trace
from bot.sandbox.scenarios.traffic import ASKS, DEFAULT_ASKS, PER_SECOND, Ask, person

MINUTES: Final = 5.0


class Remembered(NamedTuple):
    """One answered request and when its answer was sent."""

    at: datetime
    service: str
    seen: Exchange


def remember_minutes(
    google: LocalGoogle, *, minutes: float = MINUTES, per_second: float = PER_SECOND, seed: int | None = None
) -> None:
    """Fill the request log with the users of the last minutes; call once, after `set_up` and before the traffic begins.

    Args:
        google: each of its services is served by one revision.
        minutes: how far back, at least 0.
        per_second: requests of people to each service.
        seed: makes it repeatable.
    """
    chance = random.Random(seed)  # noqa: S311 - believable, not secret
    until = datetime.now(UTC)
    past = [
        one
        for service in google.services()
        for at in _moments(until - timedelta(minutes=minutes), until, per_second, chance)
        for one in _asked(google, service, at, chance)
    ]
    for at, service, seen in sorted(past, key=lambda one: one.at):
        if at < until:
            google.remember_request(service, seen, at)


def _moments(since: datetime, until: datetime, per_second: float, chance: random.Random) -> Iterator[datetime]:
    at = since + timedelta(seconds=chance.expovariate(per_second))
    while at < until:
        yield at
        at += timedelta(seconds=chance.expovariate(per_second))


def _asked(google: LocalGoogle, service: str, at: datetime, chance: random.Random) -> Iterator[Remembered]:
    asks = ASKS.get(service, DEFAULT_ASKS)
    ask = chance.choices(asks, [one.weight for one in asks])[0]
    image, trace = _image(google, service), new_trace(chance)
    refused = ask.method == "POST" and chance.random() < image.unauthorized_ratio
    took = _latency(image, chance)
    for call in () if refused else image.calls:
        if ask.path in call.paths and call.service in google.services():
            inner = _latency(_image(google, call.service), chance)
            took += inner
            yield Remembered(at + took, call.service, _inner(google, call, trace, inner, chance))
    seen = _exchange(google, service, ask, 401 if refused else 200, trace, took, chance)
    yield Remembered(at + took, service, seen)


def _exchange(
    google: LocalGoogle, service: str, ask: Ask, status: int, trace: str, took: timedelta, chance: random.Random
) -> Exchange:
    agent, address = person(ask, chance)
    return Exchange(
        method=ask.method,
        url=google.uri(service) + ask.path,
        status=status,
        latency=took,
        user_agent=agent,
        remote_ip=address,
        request_size=len(ask.path) + 280,
        response_size=chance.randint(180, 2_400),
        trace=trace,
        span=new_span(chance),
    )


def _inner(google: LocalGoogle, call: Call, trace: str, took: timedelta, chance: random.Random) -> Exchange:
    return Exchange(
        method="GET",
        url=google.uri(call.service) + call.path,
        status=200,
        latency=took,
        user_agent=CLIENT,
        remote_ip=INNER_ADDRESS,
        request_size=len(call.path) + 280,
        response_size=chance.randint(180, 2_400),
        trace=trace,
        span=new_span(chance),
    )


def _image(google: LocalGoogle, service: str) -> Image:
    (serving,) = google.serving(service)
    return google.behaviour(service, serving)


def _latency(image: Image, chance: random.Random) -> timedelta:
    return timedelta(seconds=chance.uniform(*image.latency))
