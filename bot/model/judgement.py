"""What we make of the evidence: verdict, diagnosis, impact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What is wrong, in the catalog's words."""

    SERVING_FAILURE = "serving_failure"  # a revision that serves users fails
    DEPLOY_BLOCKED = "deploy_blocked"  # a revision never became ready: it serves nobody


class Health(StrEnum):
    """The four answers of a verdict."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"  # the only one that may propose a rollback
    INCONCLUSIVE = "inconclusive"  # too little traffic, or Cloud Run has not decided yet
    ERROR = "error"  # could not measure


@dataclass(frozen=True)
class Verdict:
    """What one look says about one question (serving or deploying) of a deployment.

    Attributes:
        revision: short name of the judged revision, "" when none.
        why: one sentence with value, threshold, window and sample size.
    """

    health: Health
    kind: IncidentKind
    revision: str
    why: str
    at: datetime


class Certainty(StrEnum):
    """How sure a diagnosis is, as shown on the card."""

    SURE = "sure"
    LIKELY = "likely"
    POSSIBLE = "possible"


@dataclass(frozen=True)
class Diagnosis:
    """A cause that a person can act on.

    Attributes:
        code: stable word ("missing_module"). evidence: the lines that prove it, as logged (raw!), the best first.
        confidence: 0–1. rollback_helps: None = unknown.
        facts: what was read out of the evidence, e.g. {"module": "app.services.monitoring"} or
            {"expected_port": "8080", "actual_port": "8081"}.
    """

    code: str
    title: str
    explanation: str
    advice: str
    evidence: tuple[str, ...]
    confidence: float
    rollback_helps: bool | None
    documentation: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def certainty(self) -> Certainty:
        if self.confidence >= 0.9:
            return Certainty.SURE
        return Certainty.LIKELY if self.confidence >= 0.6 else Certainty.POSSIBLE


@dataclass(frozen=True)
class Range:
    """low ≤ expected ≤ high, all ≥ 0."""

    low: float
    expected: float
    high: float


@dataclass(frozen=True)
class ImpactInput:
    """One factor of an impact: name and value as shown, where from, how old (a moment, or only a day)."""

    name: str
    value: str
    source: str
    at: datetime | None = None
    as_of: date | None = None


@dataclass(frozen=True)
class JourneyImpact:
    """What an incident does to one journey.

    Attributes:
        failing: fraction 0–1 of attempts that fail; None: unknown.
        arr_at_risk: in the catalog's currency; None: unknown, and `missing` says which factor.
    """

    key: str
    title: str
    failing: Range | None
    arr_at_risk: Range | None
    missing: str = ""


@dataclass(frozen=True)
class Impact:
    """Business impact of one incident. Never a bare number: unit, inputs and formula are part of it.

    Attributes:
        now: True when users suffer now; False when only releases are blocked ("exposed").
        arr_at_risk: total over journeys, ≤ the whole ARR; None: unknown (see `missing`).
        exposed: what hangs on the journeys that cannot be released (deploy_blocked); None: unknown or nothing.
        per_hour: arr_at_risk spread over a year's 8,766 hours.
    """

    now: bool
    journeys: tuple[JourneyImpact, ...]
    currency: str
    arr_at_risk: Range | None
    exposed: Range | None = None
    per_hour: Range | None = None
    formula: str = ""
    inputs: tuple[ImpactInput, ...] = ()
    missing: tuple[str, ...] = ()
