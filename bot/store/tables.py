"""The tables. Documents are JSON of `bot.model` dataclasses; columns are what queries need.

`open_key` and the other UNIQUE constraints decide races: the database picks the winner, losers read who won.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from sqlalchemy import (
    Boolean,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import DateTime, TypeDecorator


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in, aware UTC out, on both databases (SQLite forgets the zone). Naive values raise ValueError."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive datetime {value!r}: the store takes aware ones only")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar = {datetime: UtcDateTime, str: Text}


class DeliveryRow(Base):
    """One HTTP receipt: taken, or parked because it was authentic but malformed."""

    __tablename__ = "deliveries"
    source: Mapped[str] = mapped_column(String(40), primary_key=True)
    delivery_id: Mapped[str] = mapped_column(String(255), primary_key=True)
    received_at: Mapped[datetime] = mapped_column(index=True)
    parked_why: Mapped[str | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class EventRow(Base):
    """A fact from a delivery. `place` is None when the service is not in the catalog."""

    __tablename__ = "events"
    id: Mapped[str] = mapped_column(String(320), primary_key=True)
    project: Mapped[str]
    service: Mapped[str]
    at: Mapped[datetime] = mapped_column(index=True)
    place: Mapped[str | None] = mapped_column(index=True)
    taken_at: Mapped[datetime | None]  # when its workflow finished with it; None: the start-up sweep starts it
    document: Mapped[str]


class RevisionRow(Base):
    """The ledger: how long and how well each revision served, as seen by the bot's own looks."""

    __tablename__ = "revisions"
    place: Mapped[str] = mapped_column(String(200), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    created_at: Mapped[datetime]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    served_s: Mapped[float] = mapped_column(Float, default=0.0)
    max_percent: Mapped[int] = mapped_column(Integer, default=0)
    last_served: Mapped[datetime | None]
    incidents: Mapped[int] = mapped_column(Integer, default=0)
    told_at: Mapped[datetime | None]  # when its healthy deploy was told in one quiet line


class PlaceRow(Base):
    """What the last look at a deployment saw: the answer of `/reliability status` without waiting for Google."""

    __tablename__ = "places"
    place: Mapped[str] = mapped_column(String(200), primary_key=True)
    looked_at: Mapped[datetime]
    document: Mapped[str]


class IncidentRow(Base):
    """`open_key` is `<place>:<kind>` while open and NULL afterwards: one open incident per place and kind."""

    __tablename__ = "incidents"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, unique=True)
    open_key: Mapped[str | None] = mapped_column(String(255), unique=True)
    place: Mapped[str] = mapped_column(index=True)
    state: Mapped[str]
    opened_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[str]


class PlanRow(Base):
    """A rollback plan exactly as shown. State changes are compare-and-set."""

    __tablename__ = "plans"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id"), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    created_at: Mapped[datetime]
    document: Mapped[str]


class DecisionRow(Base):
    """One person's word on one plan: approving twice counts once."""

    __tablename__ = "decisions"
    __table_args__ = (UniqueConstraint("plan_id", "by"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    plan_id: Mapped[str] = mapped_column(ForeignKey("plans.id"))
    by: Mapped[str] = mapped_column(String(40))
    action: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]


class MessageRow(Base):
    """The outbox: one row per message that is, or is to be, in Slack.

    A card is rendered from its incident when it is sent (`wanted` = the incident's version, `sent` = what Slack shows);
    a note or line carries its template and context, a picture what it shows. `claimed_at` is set before the first post: if we die then, the
    next sender looks for the message's own metadata before it posts again.
    """

    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_due", "done", "due_at"),)
    id: Mapped[str] = mapped_column(String(120), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))  # card | note | line | picture
    incident_id: Mapped[str | None] = mapped_column(String(40), index=True)
    channel: Mapped[str] = mapped_column(String(40))
    template: Mapped[str]
    context: Mapped[str]
    urgency: Mapped[int] = mapped_column(Integer)  # 0 first
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    wanted: Mapped[int] = mapped_column(Integer, default=1)
    sent: Mapped[int] = mapped_column(Integer, default=0)
    done: Mapped[bool] = mapped_column(Boolean, default=False)
    claimed_at: Mapped[datetime | None]
    ts: Mapped[str | None]
    posted_in: Mapped[str | None]
    posted_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    last_error: Mapped[str | None]


class RunRow(Base):
    """One execution of a suite. `taken_at` is None until its report was understood: the sweep starts it again.

    `tests` holds what each of its cases said, packed; `news` what it changed.
    """

    __tablename__ = "test_runs"
    __table_args__ = (Index("ix_test_runs_suite_at", "suite", "branch", "at"),)
    id: Mapped[str] = mapped_column(String(320), primary_key=True)
    suite: Mapped[str] = mapped_column(String(200))
    branch: Mapped[str] = mapped_column(String(255))
    commit: Mapped[str | None] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    received_at: Mapped[datetime]
    taken_at: Mapped[datetime | None] = mapped_column(index=True)
    verdict: Mapped[str | None] = mapped_column(String(20))
    document: Mapped[str]
    news: Mapped[str | None]
    tests: Mapped[bytes | None] = mapped_column(LargeBinary)


class ReportRow(Base):
    """A part of a report that was received and not read yet; gone as soon as it was."""

    __tablename__ = "reports"
    run_id: Mapped[str] = mapped_column(String(320), primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SuiteRow(Base):
    """What is known of a suite on a branch; `tests` are packed. Changes are compare-and-set by `version`."""

    __tablename__ = "suites"
    suite: Mapped[str] = mapped_column(String(200), primary_key=True)
    branch: Mapped[str] = mapped_column(String(255), primary_key=True)
    version: Mapped[int] = mapped_column(Integer)
    latest_at: Mapped[datetime]
    document: Mapped[str]
    tests: Mapped[bytes] = mapped_column(LargeBinary)


class AlarmRow(Base):
    """An alarm of a suite. `open_key` is `<suite>:<branch>:<kind>` while open and NULL afterwards: one at a time."""

    __tablename__ = "suite_alarms"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    open_key: Mapped[str | None] = mapped_column(String(500), unique=True)
    suite: Mapped[str] = mapped_column(String(200), index=True)
    branch: Mapped[str] = mapped_column(String(255))
    opened_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(Integer)
    document: Mapped[str]


class RerunRow(Base):
    """A rerun of a suite. While it is under way `open_key` is `<suite>:<mode>:<ref>`, so that two people who press at
    once start one, and `open_slot` is `<suite>:<number>`, so that no more run at once than the catalog allows.
    """

    __tablename__ = "reruns"
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    suite: Mapped[str] = mapped_column(String(200), index=True)
    state: Mapped[str] = mapped_column(String(20), index=True)
    open_key: Mapped[str | None] = mapped_column(String(500), unique=True)
    open_slot: Mapped[str | None] = mapped_column(String(220), unique=True)
    requested_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    document: Mapped[str]


class AuditRow(Base):
    """Who tried what on which object and what came of it. Never deleted by the bot."""

    __tablename__ = "audit"
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    outcome: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
