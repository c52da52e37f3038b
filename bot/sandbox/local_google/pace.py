"""How long the platform takes; real Cloud Run is slower, and a drill should not be."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Pace:
    """Durations of the local platform.

    Attributes:
        provision: from an accepted template to the container's start (image import, scheduling).
        startup_limit: how long the start-up probe waits for the port (real: 240 s by default).
        traffic_shift: from a decided to an effective traffic split.
        push_backoff: first pause before a push is tried again; doubles.
        push_backoff_limit: longest pause.
        push_deadline: how long a push waits for its answer (Pub/Sub: 10 s by default).
        metrics: from the end of a minute until its request counts are visible (real: up to 180 s).
    """

    provision: timedelta = timedelta(seconds=0.6)
    startup_limit: timedelta = timedelta(seconds=4)
    traffic_shift: timedelta = timedelta(seconds=0.7)
    push_backoff: timedelta = timedelta(seconds=0.5)
    push_backoff_limit: timedelta = timedelta(seconds=30)
    push_deadline: timedelta = timedelta(seconds=10)
    metrics: timedelta = timedelta(seconds=30)
