"""The clock of a replay: looks when the bot would have looked, delivers what is to be said, and jumps over quiet time.

The bot looks at a deployment when an event tells of a change, then often, then seldom (`bot.decide.policy.next_look`),
and at everything once a minute. A look that must come to what the last one came to is put off, and made up for before
the next one that may not: what is said, and when, is the same.
"""

from __future__ import annotations

import asyncio
import heapq
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import event as sqlalchemy_event

from bot.decide.policy import next_look
from bot.decide.timing import WatchConfig
from bot.decide.verdict import judge_deploy, judge_serving
from bot.deps import Deps
from bot.model.catalog import Catalog, Place
from bot.model.cloud_run import ServiceState
from bot.model.event import DeployEvent
from bot.model.evidence import Window
from bot.model.incident import Incident
from bot.model.judgement import Health
from bot.replay.readers import Clock, Readers, nobody, not_asked
from bot.replay.recording import Recording
from bot.replay.said import Kind, Recorder, Said
from bot.store import incidents
from bot.store.database import Database
from bot.store.inbox import DatabaseInbox
from bot.store.upgrade import upgrade
from bot.workflows.deliver import Deliverer
from bot.workflows.events import Events
from bot.workflows.look import Looker

TAIL = timedelta(minutes=5)
"""The bot goes on looking for this long after the last entry: an incident may be over, or be told late."""

QUIET = timedelta(hours=2)
LISTENS_FOR = timedelta(hours=1)
"""Where nothing is recorded for longer than QUIET, the clock jumps, LISTENS_FOR after the last entry."""

_RESOLVE_EVERY, _RESOLVE_TRIES = 2.0, 15
"""As `bot.workflows.engine` asks which revision an event is about."""

_PUT_OFF_FOR_S = 240.0
"""Time between looks that is longer than five minutes does not count as time that a revision was seen serving."""


@dataclass(frozen=True)
class Replayed:
    """What came of it.

    Attributes:
        began, ended: of the recording; the bot looked on for `TAIL` after it.
        said: in order. incidents: as they were at the end, in the order of their opening. places: looked at.
        looks: how many the database saw.
    """

    began: datetime
    ended: datetime
    said: tuple[Said, ...]
    incidents: tuple[Incident, ...]
    places: tuple[Place, ...]
    looks: int


async def replay(
    recording: Recording, catalog: Catalog, advance: Callable[[float], None] = lambda _fraction: None
) -> Replayed:
    """Run the whole pipeline over a recording that holds at least one moment.

    Args:
        advance: called with how much of the recorded time is over, 0–1.
    """
    moments = sorted(recording.moments())
    clock = Clock(moments[0])
    readers, recorder = Readers(recording, clock), Recorder(clock.now)
    async with _database() as db:
        deps = Deps(
            db=db,
            catalog=catalog,
            count_requests=readers.count_requests,
            read_entries=readers.read_entries,
            read_errors=readers.read_errors,
            read_traffic=readers.read_traffic,
            target=readers,
            notifiers=(recorder,),
            members=nobody,
            check_health=not_asked,
            now=clock.now,
            wake_outbox=lambda: None,
            watch=WatchConfig(),
            dry_run=True,
        )
        driver = _Driver(deps, readers, recorder, clock)
        await driver.run(recording, moments, advance)
        cards = dict.fromkeys(said.id for said in recorder.said if said.kind is Kind.CARD)
        async with db.read() as session:
            found = [await incidents.read(session, name) for name in cards]
    return Replayed(
        began=datetime.fromtimestamp(moments[0], UTC),
        ended=datetime.fromtimestamp(moments[-1], UTC),
        said=tuple(recorder.said),
        incidents=tuple(incident for incident in found if incident is not None),
        places=driver.places,
        looks=driver.looks,
    )


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    """A database of its own, gone afterwards; nothing in it has to survive a power cut."""
    with tempfile.TemporaryDirectory(prefix="reliability-replay-") as directory:
        db = Database(f"sqlite+aiosqlite:///{Path(directory) / 'replay.sqlite3'}")
        sqlalchemy_event.listen(db.engine.sync_engine, "connect", _without_fsync)
        try:
            await upgrade(db)
            yield db
        finally:
            await db.close()


def _without_fsync(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=OFF")
    cursor.close()


class _Seen(NamedTuple):
    """What a look would come to. Two looks with the same, and nothing unhealthy, say nothing new."""

    state: ServiceState
    healths: tuple[tuple[str, Health], ...]
    ripe: bool


@dataclass
class _Memory:
    """Of the last look at a place; `put_off`: the newest moment at which one was left out since."""

    seen: _Seen
    at: float
    calm: bool
    put_off: float = 0.0


@dataclass(order=True)
class _Due:
    at: float
    rank: int
    number: int
    do: Callable[[], Awaitable[None]] = field(compare=False)


class _Driver:
    """Everything that is due, by the clock of the recording."""

    def __init__(self, deps: Deps, readers: Readers, recorder: Recorder, clock: Clock) -> None:
        self._deps, self._readers, self._recorder, self._clock = deps, readers, recorder, clock
        self._looker, self._events = Looker(deps), Events(deps)
        self._deliverer = Deliverer(deps, asyncio.Event())
        self._inbox = DatabaseInbox(deps.db, deps.catalog, clock.now)
        self.places = tuple(place for place in deps.catalog.places if readers.knows(place))
        self._place = {place.key: place for place in self.places}
        self._queue: list[_Due] = []
        self._numbers = count()
        self._watched: set[tuple[str, str]] = set()
        self._memory: dict[str, _Memory] = {}
        self.looks = 0

    async def run(self, recording: Recording, moments: Sequence[float], advance: Callable[[float], None]) -> None:
        """Everything from the first moment to a while after the last."""
        for event in _events(recording):
            at = event.received_at.timestamp()
            self._push(at, 0, partial(self._take, event))
        every = self._deps.watch.sweep_every.total_seconds()
        begin, spans = moments[0], list(_spans(moments))
        end = spans[-1][1]
        for first, last in spans:
            at = begin + (first - begin) // every * every
            while at <= last or at < first:
                await self._until(at, end)
                self._clock.at = at
                for place in self.places:
                    await self._sweep(place)
                advance((at - begin) / (end - begin))
                at += every
            await self._until(last, end)
        advance(1.0)

    async def _until(self, at: float, end: float) -> None:
        """What is due before `at`, and never after the end."""
        while self._queue and self._queue[0].at < min(at, end):
            due = heapq.heappop(self._queue)
            self._clock.at = due.at
            await due.do()

    def _push(self, at: float, rank: int, do: Callable[[], Awaitable[None]]) -> None:
        heapq.heappush(self._queue, _Due(at, rank, next(self._numbers), do))

    async def _take(self, event: DeployEvent) -> None:
        """As the bot does with a delivery: store it, then find out which revision it is about."""
        await self._inbox.take(event.source, event.id, b"", [event])
        await self._resolve(event.id, 1)

    async def _resolve(self, event_id: str, tried: int) -> None:
        found = await self._events.revision_of(event_id)
        place, revision = str(found["place"]), str(found["revision"])
        if not found["settled"] and tried < _RESOLVE_TRIES:
            self._push(self._clock.at + _RESOLVE_EVERY, 1, partial(self._resolve, event_id, tried + 1))
        elif place in self._place and revision:
            self._start_watch(self._place[place], revision)

    def _start_watch(self, place: Place, revision: str) -> None:
        if (place.key, revision) not in self._watched:
            self._watched.add((place.key, revision))
            started = self._clock.at
            self._push(started, 2, partial(self._watch, place, revision, started))

    async def _watch(self, place: Place, revision: str, started: float) -> None:
        state = await self._look(place)
        if state is not None and state.latest_created != revision and revision not in state.fact.serving:
            return
        upcoming = next_look(datetime.fromtimestamp(started, UTC), self._clock.now(), self._deps.watch)
        if upcoming is not None:
            self._push(upcoming.timestamp(), 2, partial(self._watch, place, revision, started))

    async def _sweep(self, place: Place) -> None:
        state = await self._look(place)
        newest = state.revision(state.latest_created) if state else None
        if newest is not None and self._clock.now() - newest.created_at < self._deps.watch.slow_for:
            self._start_watch(place, newest.name)

    async def _look(self, place: Place) -> ServiceState | None:
        """Look, unless that must come to what the last look came to."""
        state = self._readers.state_now(place)
        if state is None:
            return None
        now, seen, memory = self._clock.at, self._foresee(place, state), self._memory.get(place.key)
        same = memory is not None and memory.calm and memory.seen == seen
        if memory is not None and same and now - memory.at < _PUT_OFF_FOR_S:
            memory.put_off = now
            return state
        if memory is not None and not same and memory.put_off > memory.at:
            self._clock.at = memory.put_off
            await self._really(place)
            self._clock.at = now
        calm = await self._really(place)
        self._memory[place.key] = _Memory(seen, now, calm)
        return state

    async def _really(self, place: Place) -> bool:
        """A look as the bot makes it, and what it wants to say is said. True: nothing is wrong there."""
        self.looks += 1
        sight = await self._looker.look(place)
        while await self._deliverer.deliver_due():
            pass
        self._recorder.close_batch()
        return not sight.open_now and all(verdict.health is not Health.UNHEALTHY for verdict in sight.verdicts)

    def _foresee(self, place: Place, state: ServiceState) -> _Seen:
        """What a look would come to, without the database."""
        now = self._clock.now()
        window = Window(now - place.detection.window, now)
        counts = self._readers.count_now(place, tuple(state.fact.serving), window)
        verdicts = (*judge_serving(state, counts, place.detection, now), judge_deploy(state, now))
        newest = state.revision(state.latest_ready)
        ripe = newest is not None and now - (newest.ready_at or newest.created_at) >= place.detection.window
        return _Seen(state, tuple((verdict.revision, verdict.health) for verdict in verdicts), ripe)


def _events(recording: Recording) -> list[DeployEvent]:
    found = [event for service in recording.services.values() for event in service.events.values()]
    return sorted([*found, *recording.secrets.values()], key=lambda event: (event.received_at, event.at, event.id))


def _spans(moments: Sequence[float]) -> Iterator[tuple[float, float]]:
    """(first, last) of the times in which the bot looks: quiet ones between them are jumped over."""
    first = moments[0]
    for here, following in pairwise(moments):
        if following - here > QUIET.total_seconds():
            yield first, here + LISTENS_FOR.total_seconds()
            first = following
    yield first, moments[-1] + TAIL.total_seconds()
