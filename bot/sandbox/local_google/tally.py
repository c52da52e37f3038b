"""Count answers per revision over the last seconds: what the side panel shows. Not a metric of the real platform."""

from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(seconds=5)
_MOST: Final = 20_000


class Tally:
    """The answers of the last five seconds."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        """Begin with none."""
        self._clock = clock
        self._seen: deque[tuple[datetime, str, str, bool]] = deque(maxlen=_MOST)

    def count(self, service: str, revision: str, status: int) -> None:
        """One more answer."""
        self._seen.append((self._clock(), service, revision, status >= 500))

    def live(self, service: str, revision: str | None = None) -> dict[str, float]:
        """`{"per_second": …, "failing_ratio": …}` of a service or of one of its revisions."""
        oldest = self._clock() - WINDOW
        while self._seen and self._seen[0][0] < oldest:
            self._seen.popleft()
        failed = [bad for _, of, by, bad in self._seen if of == service and revision in {None, by}]
        ratio = sum(failed) / len(failed) if failed else 0.0
        return {"per_second": round(len(failed) / WINDOW.total_seconds(), 1), "failing_ratio": round(ratio, 4)}
