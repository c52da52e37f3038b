"""`/reliability errors`: read from a real Cloud Logging client's answers, told in words, its chart in the outbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from google.cloud.logging_v2.types import LogEntry as WireEntry
from sqlalchemy import select
from support.desk import desk, local_google
from support.values import BAD, GOOD

from bot.deps import Deps
from bot.errors import Retryable, UserError
from bot.model.evidence import LogKind
from bot.notify.plain import readable
from bot.notify.render import render
from bot.sandbox.local_google import LocalGoogle
from bot.store.database import Database
from bot.store.tables import MessageRow, RevisionRow
from bot.workflows.pictures import Chart
from commands import errors
from commands.command import Ask, Desk, Reply

ASK = Ask("U0RILEY0001", "C0AUTHOPS01")


@dataclass
class Counter:
    """Somebody at the keyboard, and the log that the bot reads."""

    deps: Deps
    google: LocalGoogle

    def log(self, minutes_ago: float, revision: str = BAD, text: str = "ValueError: no", service: str = "auth-service"):
        entry = WireEntry.pb()(
            log_name=f"projects/acme-staging/logs/{LogKind.STDERR.replace('/', '%2F')}", severity=500, text_payload=text
        )
        entry.timestamp.FromDatetime(self.deps.now() - timedelta(minutes=minutes_ago))
        entry.resource.type = "cloud_run_revision"
        labels = {"project_id": "acme-staging", "location": "us-central1", "service_name": service}
        entry.resource.labels.update(labels | {"revision_name": revision})
        self.google.logs.append(entry)

    async def type(self, *words: str) -> Reply:
        return await errors.run(ASK, errors.COMMAND.parse(list(words)), Desk(self.deps, _never, _never))

    async def told(self, *words: str) -> str:
        reply = await self.type(*words)
        return readable(render(reply.template, reply.context)).replace("`", "")

    async def charts(self) -> list[Chart]:
        async with self.deps.db.read() as session:
            rows = await session.scalars(select(MessageRow).where(MessageRow.kind == "picture"))
            return [msgspec.json.decode(row.context, type=Chart) for row in rows if row.channel == ASK.channel]


async def _never(plan_id: str) -> None:
    raise AssertionError(plan_id)


@pytest.fixture
async def counter(db: Database) -> AsyncIterator[Counter]:
    async with local_google() as google, desk(db, google) as deps:
        yield Counter(deps, google)


async def test_everybody_gets_the_words_and_the_channel_the_chart(counter: Counter) -> None:
    counter.log(3)
    counter.log(2)
    counter.log(5, GOOD, "KeyError: 'user'")
    counter.log(1, "other-00001-abc", service="other-service")

    reply = await counter.type("auth")

    said = readable(render(reply.template, reply.context)).replace("`", "")
    assert reply.to_everybody
    assert "3 errors in 30 min" in said
    assert "2× ValueError: no" in said
    assert "other" not in said
    (chart,) = await counter.charts()
    assert [(each.revision, each.total) for each in chart.series.revisions] == [(BAD, 2), (GOOD, 1)]
    assert (chart.title, chart.moment) == ("auth-service (staging)", "asked")


@pytest.mark.parametrize("word", ["00283", "…-00283-qab", BAD, "`00283-QAB`"])
async def test_a_part_of_a_revisions_name_is_enough(counter: Counter, word: str) -> None:
    counter.log(3)
    counter.log(5, GOOD, "KeyError: 'user'")

    said = await counter.told("auth-service", word)

    assert "…-00283-qab · 1 error in 30 min" in said
    assert "KeyError" not in said
    (chart,) = await counter.charts()
    assert [each.revision for each in chart.series.revisions] == [BAD]


@pytest.mark.parametrize("words", [("auth", "2h"), ("auth/staging", "00283", "2h")])
async def test_the_window_can_be_chosen(counter: Counter, words: tuple[str, ...]) -> None:
    counter.log(90)

    assert "1 error in 2 h" in await counter.told(*words)


async def test_a_known_revision_without_errors_has_none(counter: Counter) -> None:
    now = counter.deps.now()
    async with counter.deps.db.begin() as session:
        session.add(RevisionRow(place="auth/staging", name=GOOD, created_at=now, first_seen=now, last_seen=now))
    counter.log(3)

    assert "no errors in 30 min" in await counter.told("auth", "00281")
    (chart,) = await counter.charts()
    assert chart.series.total == 0
    assert [mark.revision for mark in chart.series.marks] == [GOOD]


async def test_an_unknown_revision_is_answered_with_those_there_are(counter: Counter) -> None:
    counter.log(3)

    with pytest.raises(UserError, match=rf"no revision `00299` of auth/staging\..*`{BAD}`"):
        await counter.type("auth", "00299")

    assert await counter.charts() == []


async def test_an_unknown_service_is_answered_with_the_nearest(counter: Counter) -> None:
    with pytest.raises(UserError, match=r"Did you mean `auth`\?"):
        await counter.type("auht")


@pytest.mark.parametrize("window", ["30", "1s", "9d", "soon"])
async def test_a_window_that_is_none_is_refused_with_examples(counter: Counter, window: str) -> None:
    with pytest.raises(UserError, match=r"`30m` or `2h`|`2m`"):
        await counter.type("auth", "00283", window)


async def test_a_log_that_cannot_be_read_is_told_and_nothing_is_drawn(counter: Counter) -> None:
    async def unread(*_: Any) -> Any:
        raise Retryable("Cloud Logging: its read quota is used up")

    counter.deps = replace(counter.deps, read_errors=unread)

    said = await counter.told("auth")

    assert "could not be read" in said
    assert "its read quota is used up" in said
    assert await counter.charts() == []


async def test_without_cloud_monitoring_the_chart_comes_without_requests(counter: Counter) -> None:
    async def unread(*_: Any) -> Any:
        raise Retryable("Cloud Monitoring did not answer")

    counter.deps = replace(counter.deps, read_traffic=unread)
    counter.log(3)

    assert "1 error in 30 min" in await counter.told("auth")
    (chart,) = await counter.charts()
    assert chart.series.requests == ()


async def test_each_question_gets_a_chart_of_its_own(counter: Counter) -> None:
    await counter.type("auth")
    await counter.type("auth")

    assert len(await counter.charts()) == 2
