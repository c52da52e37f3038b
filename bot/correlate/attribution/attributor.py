"""Takes signals in, says at each tick what is new. State in `ledger`, judgement in `decision`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from bot.correlate.attribution.case import TOGETHER, Case, Suspect
from bot.correlate.attribution.decision import Judged, attribution, decide, judge
from bot.correlate.attribution.known import Known
from bot.correlate.attribution.ledger import Ledger
from bot.correlate.attribution.rises import Rise, find_rise
from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal
from bot.model.attribution import Attribution, Cause

_PRUNE_EVERY = 120.0  # seconds
_LATCHED = 100  # attributions that are remembered
_SAME_RISE = 120.0  # seconds around the beginning of an attributed rise in which others belong to it
_CALM = 180.0  # seconds without rise after which the next one is a new one
_AFTERWARDS = 30.0  # seconds from the beginning of one rise to the change that may have caused another
_CERTAIN = 0.97  # probability of another explanation from which a word is taken back
_VERY_RISE = 60.0  # seconds between the beginnings of what was said and of what is seen now
_SECOND_THOUGHTS = 30.0
_STEP = 10.0
_MEMBER = 2.0  # ln e-value from which a rise belongs to a case
_LOOKED_AT = 3.0  # … from which a case is looked at


@dataclass(frozen=True)
class Opinion:
    """A case that is open, for the card: its suspects so far, and what is missing for a word."""

    since_s: float
    services: tuple[str, ...]
    judged: tuple[Judged, ...]
    missing: str


class Attributor:
    """The engine. Feed it in order of arrival, tick it about every ten seconds of arrival time."""

    def __init__(self, known: Known | None = None) -> None:
        self._known = known or Known()
        self._ledger = Ledger()
        self._said: list[Attribution] = []
        self._alive: dict[int, float] = {}  # when the rise of each said attribution was last seen
        self._opinions: tuple[Opinion, ...] = ()
        self._pruned = 0.0
        ledger = self._ledger
        self._take: dict[type, Callable[..., None]] = {
            Log: ledger.take_log,
            Requests: ledger.take_requests,
            Deploy: ledger.take_deploy,
            Config: ledger.take_config,
        }

    def feed(self, signal: Signal) -> None:
        """Take one signal in. Counting only; nothing is judged before the next tick."""
        self._take[type(signal)](signal)

    def tick(self, now: float) -> list[Attribution]:
        """What is new to say at `now` (seconds, clock of arrival), withdrawals included; mostly []."""
        if now - self._pruned >= _PRUNE_EVERY:
            self._ledger.prune(now)
            self._pruned = now
        news: list[Attribution] = []
        opinions: list[Opinion] = []
        for case in self._cases(now):
            judged = judge(case)
            news += self._withdrawn(case, judged, now)
            known = self._said_about(case, now)
            chosen, missing = decide(case, judged)
            if chosen is None and not known:
                opinions.append(Opinion(case.onset, case.services, tuple(judged), missing))
            if chosen is not None and self._is_news(case, chosen, known):
                said = attribution(case, chosen)
                self._alive[len(self._said)] = now
                self._said.append(said)
                news.append(said)
        self._opinions = tuple(opinions)
        return news

    def attributions(self) -> tuple[Attribution, ...]:
        """All that was said, in that order, with what was withdrawn since."""
        return tuple(self._said)

    def opinions(self) -> tuple[Opinion, ...]:
        """The cases that were open at the last tick and about which nothing was said yet."""
        return self._opinions

    def _cases(self, now: float) -> list[Case]:
        services = self._ledger.services
        rises = [rise for name in sorted(services) if (rise := self._rise(name, now))]
        rises = [rise for rise in rises if rise.strength >= _MEMBER]
        left = sorted(rises, key=lambda rise: (-rise.strength, rise.onset, rise.service))
        groups: list[list[Rise]] = []
        while left:  # around the surest one: a chance rise a minute earlier must not shift the beginning
            centre = left[0]
            groups.append([rise for rise in left if abs(rise.onset - centre.onset) <= TOGETHER])
            left = [rise for rise in left if abs(rise.onset - centre.onset) > TOGETHER]
        cases = [Case(tuple(group), self._ledger, self._known, now) for group in groups]
        return [case for case in cases if case.strength >= _LOOKED_AT]

    def _rise(self, name: str, now: float) -> Rise | None:
        service = self._ledger.services[name]
        return find_rise(self._ledger, service, now)

    def _withdrawn(self, case: Case, judged: list[Judged], now: float) -> list[Attribution]:
        """Take back the blame for this very rise, where now another explanation is as good as certain."""
        best = judged[0]
        if best.probability < _CERTAIN or best.suspect.cause is Cause.NONE:
            return []
        taken_back = []
        for index, said in enumerate(self._said):
            if said.withdrawn or said.cause is not Cause.REVISION or abs(case.onset - said.since_s) > _VERY_RISE:
                continue
            left = sum(j.probability for j in judged if _is_about(said, j))
            if left <= 1 - _CERTAIN and not _is_about(said, best) and now - said.at_s >= _SECOND_THOUGHTS:
                reason = f"another explanation turned out likelier: {attribution(case, best).why}"
                self._said[index] = replace(said, withdrawn=reason)
                taken_back.append(self._said[index])
        return taken_back

    def _said_about(self, case: Case, now: float) -> list[Attribution]:
        """What was said about this rise, or about one that it goes on from or echoes."""
        found = []
        for index, said in enumerate(self._said):
            if said.cause is Cause.NONE or said.withdrawn:
                continue
            places = {*said.seen_in, said.service} - {""}
            related = bool(places & set(case.services)) or any(
                case.relation(rise, said.service).strength >= 0.25 for rise in case.rises if said.service
            )
            goes_on = related and now - self._alive[index] <= _CALM
            if goes_on or abs(case.onset - said.since_s) <= _SAME_RISE:
                self._alive[index] = now
                found.append(said)
        return found

    def _is_news(self, case: Case, chosen: Judged, known: list[Attribution]) -> bool:
        """One word for one rise; a second one only about a change that came after the first rise began."""
        suspect = chosen.suspect
        same = [
            s
            for s in self._said
            if (s.cause, s.service, s.revision) == (suspect.cause, suspect.service, suspect.revision)
        ]
        if suspect.cause is Cause.NONE:
            return not known and not any(set(said.seen_in) & set(case.services) for said in same)
        if suspect.cause is Cause.REVISION and (same or self._is_older_than_a_blamed_one(suspect)):
            return False
        if not known:
            return True
        return suspect.cause is Cause.REVISION and all(
            said.cause is not Cause.REVISION and suspect.at > said.since_s + _AFTERWARDS for said in known
        )

    def _is_older_than_a_blamed_one(self, suspect: Suspect) -> bool:
        """What a bad revision replaced is not blamed for what is seen in the same place afterwards."""
        blamed = {
            said.revision
            for said in self._said
            if said.cause is Cause.REVISION and said.service == suspect.service and not said.withdrawn
        }
        deploys = self._ledger.services[suspect.service].deploys
        return any(deploy.revision in blamed and deploy.at > suspect.at for deploy in deploys)


def _is_about(said: Attribution, judged: Judged) -> bool:
    suspect = judged.suspect
    if said.cause is not suspect.cause:
        return False
    return said.cause not in {Cause.REVISION, Cause.CONFIG} or (said.service, said.revision) == (
        suspect.service,
        suspect.revision,
    )


def attribute(signals: Iterable[Signal], now: float, known: Known | None = None) -> tuple[Attribution, ...]:
    """All that would have been said up to `now` about these signals, withdrawn included; () for none.

    Args:
        signals: in any order; they are sorted by time of arrival, equal times kept in order.
        now: seconds, clock of arrival; later signals are not looked at.
    """
    return weighed(signals, now, known).attributions()


def weighed(signals: Iterable[Signal], now: float, known: Known | None = None) -> Attributor:
    """The engine after these signals, for who wants its opinions too; arguments as for `attribute`."""
    engine = Attributor(known)
    ordered = sorted((s for s in signals if s.rt <= now), key=lambda s: s.rt)
    if not ordered:
        return engine
    tick = ordered[0].rt + _STEP
    for signal in ordered:
        while signal.rt > tick:
            engine.tick(tick)
            tick += _STEP
        engine.feed(signal)
    while tick < now:
        engine.tick(tick)
        tick += _STEP
    engine.tick(now)
    return engine
