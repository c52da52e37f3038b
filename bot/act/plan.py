"""Which revision gets the traffic, what exactly is written, and whether it may still be written. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from bot.errors import Conflict, Permanent
from bot.model.cloud_run import Revision, ServiceState, TrafficSplit, TrafficTarget
from bot.model.ledger import ServedSpan

MIN_MINUTES = 10.0  # less than this at any share of traffic proves little


@dataclass(frozen=True)
class Target:
    """The revision to return to.

    Attributes:
        proof: why it is trusted, one line for the card.
        rejected: (revision, why not) for every other candidate, newest first.
    """

    revision: str
    proof: str
    rejected: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class NoTarget:
    """There is nothing to return to, or no need to; `reason` is fit for the card."""

    reason: str
    rejected: tuple[tuple[str, str], ...] = ()


def plan_split(state: ServiceState, target: str) -> TrafficSplit:
    """Everything to `target`; tags stay where they point, at 0 %."""
    return with_tags(TrafficSplit((TrafficTarget(target, 100),)), state.wish)


def with_tags(split: TrafficSplit, tags_of: TrafficSplit) -> TrafficSplit:
    """The percentages of `split` with the tags of another split: the list that is written."""
    shares = tuple(TrafficTarget(revision, percent) for revision, percent in split.serving.items())
    return TrafficSplit(shares + tuple(TrafficTarget(t.revision, 0, t.tag) for t in tags_of.tags))


def served_equals(a: TrafficSplit, b: TrafficSplit) -> bool:
    """Do users meet the same revisions in the same shares? Order, tags and split-up lines do not matter."""
    return a.serving == b.serving and a.follows_latest == b.follows_latest


def already_shifted(live: ServiceState, to: TrafficSplit) -> bool:
    """Served as wanted and asked for as wanted (an old wish for LATEST would undo it at the next deploy)."""
    return served_equals(live.fact, to) and served_equals(live.wish, to)


def under_way(live: ServiceState, to: TrafficSplit) -> bool:
    """Cloud Run has been asked for exactly this and is still at it."""
    return live.reconciling and served_equals(live.wish, to)


def check_shift(live: ServiceState, to: TrafficSplit, *, expecting: TrafficSplit) -> None:
    """May `to` be written now?

    Raises:
        Conflict: users are not served as `expecting` says, or a revision of `to` cannot take traffic.
        Permanent: `to` is not a split at all.
    """
    if sum(to.serving.values()) != 100 or to.follows_latest:
        raise Permanent(f"The plan does not give 100 % to named revisions: {to}")
    if not served_equals(live.fact, expecting) and not served_equals(live.fact, to):
        raise Conflict(f"Traffic has changed since this was approved: then {expecting}; now {live.fact}")
    for name in to.serving:
        revision = live.revision(name)
        if revision is None:
            raise Conflict(f"Revision {name} is not there any more")
        if revision.ready is not True:
            raise Conflict(f"Revision {name} is not ready{f' ({revision.reason})' if revision.reason else ''}")


def choose_target(
    state: ServiceState,
    failing: AbstractSet[str],
    served_history: Sequence[ServedSpan],
    *,
    min_minutes: float = MIN_MINUTES,
) -> Target | NoTarget:
    """The revision that served users well most recently, or else the newest one that nothing speaks against.

    A revision that the bot has not watched long enough (it was just installed) is chosen only where none is proven,
    and the proof line says so.

    Args:
        failing: revisions of the incident, by short name; never chosen.
        served_history: what the bot has seen, at most one span per revision; may be empty.
    """
    serving = state.fact.serving
    if not failing & serving.keys():
        return NoTarget(f"rollback is not needed: users are served by {state.fact}" if serving else _NEVER_READY)
    spans = {span.revision: span for span in served_history}
    view = _View(
        bad=tuple(r for r in state.revisions if r.name in failing),
        serving_bad=tuple(r for r in state.revisions if r.name in failing and r.name in serving),
        spans=spans,
        watching_since=min((span.first_seen for span in served_history), default=None),
        min_minutes=min_minutes,
    )
    against = {r.name: view.objection(r) for r in state.revisions}
    candidates = [r for r in state.revisions if not against[r.name]]
    proven = [r for r in candidates if view.is_proven(r)]
    if proven:
        chosen = max(proven, key=lambda r: (spans[r.name].last_served, r.created_at))
        proof = _proof(spans[chosen.name])
    elif candidates:
        chosen = max(candidates, key=lambda r: (r.name in spans, r.created_at))
        came = min((r.created_at for r in view.serving_bad), default=None)
        proof = _unproven(chosen, spans.get(chosen.name), came)
    else:
        return NoTarget(_why_none(state, failing), tuple(against.items()))
    rejected = ((r.name, against[r.name] or _second_best(chosen)) for r in state.revisions if r is not chosen)
    return Target(chosen.name, proof, tuple(rejected))


_NEVER_READY = "nothing to roll back to: no earlier revision was ever ready"


@dataclass(frozen=True)
class _View:
    """What is known when candidates are weighed."""

    bad: tuple[Revision, ...]
    serving_bad: tuple[Revision, ...]
    spans: dict[str, ServedSpan]
    watching_since: datetime | None
    min_minutes: float

    def is_proven(self, revision: Revision) -> bool:
        span = self.spans.get(revision.name)
        return span is not None and span.max_percent > 0 and span.minutes >= self.min_minutes

    def objection(self, revision: Revision) -> str:  # noqa: PLR0911  one rule a line
        """Why this revision must not get the traffic, "" when nothing speaks against it."""
        span = self.spans.get(revision.name)
        twin = next((bad for bad in self.bad if bad is not revision and _same_build(revision, bad)), None)
        if revision in self.bad:
            return "it is failing"
        if revision.ready is not True:
            return _not_ready(revision)
        if span is not None and span.failed_incidents:
            return f"{_count(span.failed_incidents, 'incident')} while it served"
        if twin is not None:
            return f"same image and configuration as {twin.name}, which is failing"
        if self.is_proven(revision):
            return ""
        if any(revision.created_at >= bad.created_at for bad in self.serving_bad):
            return "newer than the failing revision, and not proven"
        if span is None and self.watching_since is not None and revision.created_at >= self.watching_since:
            return "has never served users"
        return ""


def _same_build(a: Revision, b: Revision) -> bool:
    """The same image by digest with nothing visible changed around it; a tag alone proves nothing."""
    return "@" in a.image and (a.image, a.port, a.env_names) == (b.image, b.port, b.env_names)


def _not_ready(revision: Revision) -> str:
    if revision.ready is None:
        return "not ready yet"
    return f"never became ready ({revision.reason})" if revision.reason else "is not ready"


def _why_none(state: ServiceState, failing: AbstractSet[str]) -> str:
    if any(r.ready for r in state.revisions if r.name not in failing):
        return "nothing to roll back to: something speaks against every earlier revision"
    return _NEVER_READY


def _second_best(chosen: Revision) -> str:
    return f"{chosen.name} is the better choice"


def _proof(span: ServedSpan) -> str:
    return f"proven: {_duration(span.minutes)} at up to {span.max_percent} %, 0 incidents"


def _unproven(revision: Revision, span: ServedSpan | None, came: datetime | None) -> str:
    """What Cloud Run knows, and how little the bot has seen. `came`: when the failing revision did."""
    known = "Ready"
    if revision.ready_at is not None:
        known = f"Ready since {revision.ready_at:%Y-%m-%d %H:%M} UTC"
        if came is not None and came > revision.ready_at:
            known += f", {_duration((came - revision.ready_at).total_seconds() / 60)} before the failing revision came"
    watched = "not yet seen serving by the bot" if span is None else f"watched by the bot for {_duration(span.minutes)}"
    return f"{known}; {watched}"


def _duration(minutes: float) -> str:
    if minutes < 120:
        return f"{minutes:.0f} min" if minutes >= 1 else "less than 1 min"
    return f"{minutes / 60:.0f} h" if minutes < 48 * 60 else f"{minutes / 60 / 24:.0f} d"


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
