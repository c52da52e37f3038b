"""Runs of suites: received with their report, understood, kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.model.suite import RunMark, SuiteNews, TestRun
from bot.model.test_run import RunVerdict
from bot.store.documents import dump, load
from bot.store.once import insert_once
from bot.store.tables import DeliveryRow, ReportRow, RunRow

PART = 1024 * 1024
"""Bytes of a report that are held in memory at once."""

_SOURCE = "test_run"


async def receive(session: AsyncSession, run: TestRun, delivery_id: str, parts: Iterable[bytes], now: datetime) -> bool:
    """Store a run with its report, to be understood. True: new; False: this delivery came before, nothing was written.

    Args:
        parts: of the report, in order, each at most `PART` long; read one after the other.
    """
    delivery = {"source": _SOURCE, "delivery_id": delivery_id, "received_at": now, "parked_why": None, "body": b""}
    if not await insert_once(session, DeliveryRow, delivery):
        return False
    session.add(_row(run, received_at=now, taken_at=None))
    for number, body in enumerate(parts):
        session.add(ReportRow(run_id=run.id, part=number, body=body))
        await session.flush()
        session.expunge_all()  # each part is let go before the next is read
    await session.flush()
    return True


def _row(run: TestRun, received_at: datetime, taken_at: datetime | None) -> RunRow:
    return RunRow(
        id=run.id,
        suite=run.suite,
        branch=run.branch,
        commit=run.commit,
        at=run.at,
        received_at=received_at,
        taken_at=taken_at,
        verdict=run.verdict,
        document=dump(run),
        news=None,
        tests=None,
    )


async def read(session: AsyncSession, run_id: str) -> TestRun | None:
    row = await session.get(RunRow, run_id)
    return load(row.document, TestRun) if row else None


async def report_parts(session: AsyncSession, run_id: str) -> AsyncIterator[bytes]:
    """The report as it was received, part by part; nothing where it was read already."""
    numbers = (await session.scalars(select(ReportRow.part).where(ReportRow.run_id == run_id))).all()
    for number in sorted(numbers):
        body = await session.scalar(select(ReportRow.body).where(ReportRow.run_id == run_id, ReportRow.part == number))
        if body is not None:
            yield body


async def untaken(session: AsyncSession) -> Sequence[str]:
    """Ids of runs whose report was not understood yet, oldest first."""
    rows = await session.scalars(
        select(RunRow.id).where(RunRow.taken_at.is_(None)).order_by(RunRow.received_at, RunRow.id)
    )
    return rows.all()


async def recorded(session: AsyncSession, run_id: str) -> SuiteNews | None:
    """What a run changed; None when it was not understood yet, or nobody knows it."""
    news = await session.scalar(select(RunRow.news).where(RunRow.id == run_id))
    return load(news, SuiteNews) if news else None


async def record(session: AsyncSession, news: SuiteNews, tests: bytes, now: datetime) -> None:
    """Keep an understood run with what it changed; its raw report goes."""
    run = news.run
    row = await session.get(RunRow, run.id)
    if row is None:
        row = _row(run, received_at=now, taken_at=now)
        session.add(row)
    row.document, row.verdict, row.taken_at, row.news, row.tests = dump(run), run.verdict, now, dump(news), tests
    await session.execute(delete(ReportRow).where(ReportRow.run_id == run.id))
    await session.flush()


async def cases(session: AsyncSession, run_id: str) -> bytes | None:
    """What each case of a run said, for `packing.unpack_cases`; None when it is not kept any more."""
    tests: bytes | None = await session.scalar(select(RunRow.tests).where(RunRow.id == run_id))
    return tests


async def latest(session: AsyncSession, suite: str, branch: str, limit: int = 1) -> tuple[TestRun, ...]:
    """Understood runs of a suite and branch, newest first."""
    rows = await session.scalars(
        select(RunRow.document)
        .where(RunRow.suite == suite, RunRow.branch == branch, RunRow.taken_at.is_not(None))
        .order_by(RunRow.at.desc(), RunRow.id.desc())
        .limit(limit)
    )
    return tuple(load(document, TestRun) for document in rows)


async def verdicts(
    session: AsyncSession, suite: str, branch: str, since: datetime
) -> Sequence[tuple[datetime, RunVerdict]]:
    """(when, verdict) of understood runs since a moment, oldest first."""
    rows = await session.execute(
        select(RunRow.at, RunRow.verdict)
        .where(RunRow.suite == suite, RunRow.branch == branch, RunRow.at >= since, RunRow.verdict.is_not(None))
        .order_by(RunRow.at, RunRow.id)
    )
    return [(at, RunVerdict(verdict)) for at, verdict in rows if verdict is not None]


async def suspects(
    session: AsyncSession, suite: str, branch: str, after: RunMark | None, until: RunMark
) -> tuple[str, ...]:
    """Commits that runs were made of between the last that was good (not included) and the first that was bad
    (included), oldest first, each once; at most the last 20.
    """
    query = select(RunRow.commit).where(
        RunRow.suite == suite, RunRow.branch == branch, RunRow.commit.is_not(None), RunRow.at <= until.at
    )
    query = query.where(RunRow.id == until.id if after is None else RunRow.at > after.at)
    rows = await session.scalars(query.order_by(RunRow.at.desc(), RunRow.id.desc()).limit(200))
    commits = [commit for commit in rows if commit is not None and not (after and commit == after.commit)]
    return tuple(reversed(list(dict.fromkeys(commits))[:20]))


async def about_commits(session: AsyncSession, commits: Iterable[str]) -> tuple[SuiteNews, ...]:
    """Understood runs of these commits with what each changed, newest first, at most the last 200.

    Args:
        commits: SHAs, whole or their beginnings of at least seven digits (of a revision often no more is known); others
            find nothing. Runs of commits that begin alike are among the answers: `bot.decide.suites.commits` tells.
    """
    beginnings = {commit[:7].lower() for commit in commits if len(commit) >= 7}  # a range of digits: an index finds it
    if not beginnings:
        return ()
    rows = await session.scalars(
        select(RunRow.news)
        .where(
            RunRow.news.is_not(None),
            or_(*(and_(RunRow.commit >= digits, RunRow.commit < f"{digits}g") for digits in sorted(beginnings))),
        )
        .order_by(RunRow.at.desc(), RunRow.id.desc())
        .limit(200)
    )
    return tuple(load(news, SuiteNews) for news in rows if news is not None)


async def give_up(session: AsyncSession, run_id: str, now: datetime) -> None:
    """A run of a suite that is not in the catalog any more: nobody waits for it."""
    await session.execute(update(RunRow).where(RunRow.id == run_id).values(taken_at=now))
    await session.execute(delete(ReportRow).where(ReportRow.run_id == run_id))


async def forget(session: AsyncSession, now: datetime, keep: timedelta) -> None:
    """Delete understood runs older than `keep`; what they taught stays."""
    await session.execute(delete(RunRow).where(RunRow.taken_at.is_not(None), RunRow.at < now - keep))
