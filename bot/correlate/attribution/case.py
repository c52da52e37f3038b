"""One case: rises that belong together, and what speaks about them is asked of here."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property

from bot.correlate.attribution.content import Theme
from bot.correlate.attribution.known import Known
from bot.correlate.attribution.ledger import Ledger
from bot.correlate.attribution.naming import stem
from bot.correlate.attribution.records import Group
from bot.correlate.attribution.relations import Relation, relation
from bot.correlate.attribution.rises import Rise
from bot.correlate.attribution.wording import is_telling, quoted
from bot.correlate.telling import echo_rank_of
from bot.model.attribution import Cause

TOGETHER = 75.0  # seconds between the beginnings of two rises that are one case
_SOLID = 0.6  # share of the highest strength from which a rise tells when it began


_OF_DEPENDENCIES = frozenset({Theme.DEPENDENCY, Theme.UPSTREAM, Theme.OTHER, Theme.CAPACITY})
_SAYS_WHY = frozenset({Theme.STARTUP, Theme.MEMORY, Theme.SETTING, Theme.DEPENDENCY, Theme.CODE})
_OFTEN = 0.2  # of the most frequent kind


@dataclass(frozen=True)
class Suspect:
    """Somebody or something that may have caused a case.

    Attributes:
        at: source time of the change, the onset where there was none. name: of a setting or a dependency.
        back: a rollback.
    """

    cause: Cause
    service: str = ""
    revision: str = ""
    at: float = 0.0
    name: str = ""
    back: bool = False
    heard: float = 0.0


@dataclass
class Case:
    """Rises with about one beginning, the surest first, looked at at `now` (clock of arrival)."""

    rises: tuple[Rise, ...]
    ledger: Ledger
    known: Known
    now: float
    _relations: dict[tuple[str, str], Relation] = field(default_factory=dict)

    @cached_property
    def onset(self) -> float:
        return min(rise.onset for rise in self.rises if rise.strength >= min(8.0, _SOLID * self.strength))

    def onset_for(self, suspect: Suspect) -> float:
        """When it began for this suspect: in its own service, where errors rose there for sure."""
        own = self.rise_of(suspect.service)
        return own.onset if own and own.strength >= 3.0 else self.onset

    @cached_property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rise.service for rise in self.rises))

    @cached_property
    def strength(self) -> float:
        return max(rise.strength for rise in self.rises)

    @cached_property
    def roots(self) -> tuple[Rise, ...]:
        """Rises that are not explained as an echo of another one here."""
        roots = tuple(r for r in self.rises if not any(self.echoes(r, other) for other in self.rises))
        return roots or self.rises

    def rise_of(self, service: str) -> Rise | None:
        return next((rise for rise in self.rises if rise.service == service), None)

    def relation(self, rise: Rise, other: str) -> Relation:
        """How the failures of `rise` point at the service `other`."""
        key = (rise.service, other)
        if key not in self._relations:
            self._relations[key] = relation(self.ledger, self.known, rise, other)
        return self._relations[key]

    def echoes(self, rise: Rise, other: Rise) -> bool:
        """True where `rise` fails because `other` does: it points there more than the other points back."""
        if rise is other or rise.service == other.service:
            return False
        forth, back = self.relation(rise, other.service), self.relation(other, rise.service)
        if max(forth.named, back.named) >= 0.2 and abs(forth.named - back.named) >= 0.1:
            return forth.named > back.named
        if min(forth.traces, back.traces) >= 3 and max(forth.failed, back.failed) >= 0.4:
            words = rise.themes.get(Theme.UPSTREAM, 0.0) - other.themes.get(Theme.UPSTREAM, 0.0)
            return (forth.failed - back.failed) + (forth.first - back.first) + words > 0.0
        return forth.known and not back.known

    def themes(self, rises: tuple[Rise, ...]) -> dict[Theme, float]:
        """Share of the excess by theme, each service counting alike."""
        themes: Counter[Theme] = Counter()
        for rise in rises:
            for theme, share in rise.themes.items():
                themes[theme] += share / len(rises)  # type: ignore[assignment]
        return dict(themes)

    def sample(self, rises: tuple[Rise, ...] | None = None) -> str:
        """The line that tells most, for people: said often, and says what, not where or that, nor only what followed."""
        groups = [pair for rise in rises or self.roots for pair in rise.groups]
        if not groups:
            return ""
        often = [pair for pair in groups if pair[1] >= _OFTEN * max(excess for _, excess in groups)]
        best = max(often, key=lambda pair: (_tells(pair[0]), pair[1], pair[0].wording.key))
        return quoted(best[0].wording.sample)

    def _foreign(self, callee: str) -> str:
        return "" if stem(callee) in set(map(stem, self.ledger.services)) else callee

    def dependency(self) -> str:
        """The dependency that the messages name most often, else the only one that all need by the catalog, else ""."""
        named: Counter[str] = Counter()
        for rise in self.rises:
            for group, excess in rise.groups:
                name = group.wording.dependency or self._foreign(group.wording.callee)
                if name and group.wording.theme in _OF_DEPENDENCIES:
                    named[name] += excess  # type: ignore[assignment]
        if named:
            return max(named, key=lambda name: (named[name], name))
        needed = [set(self.known.depends_on.get(rise.service, ())) for rise in self.roots]
        shared = sorted(set.intersection(*needed)) if needed else []
        return shared[0] if len(shared) == 1 else ""


def _tells(group: Group) -> tuple[bool, bool, int]:
    wording = group.wording
    telling = is_telling(wording.sample) and not wording.request
    return (telling, wording.theme in _SAYS_WHY, -echo_rank_of(wording.sample))
