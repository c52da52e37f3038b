"""What others do, behind the engine's interface: the heights to beat.

Each is as good as its idea allows: duplicates are dropped, entries are told to be errors by severity, status or the look
of their text, and one revision is blamed at most once. They only ever know one cause.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable

from bot.correlate.attribution.signals import Deploy, Log, Requests, Signal
from bot.model.attribution import Attribution, Cause

from .score import Answerer

WINDOW_S = 300.0
_LOOKS_BAD = re.compile(r"Traceback|Error\b|Exception\b|panic:|FATAL|\bfailed\b|exit\([1-9]")
_CHANGING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]*\d[0-9a-f]*")


def is_error(log: Log) -> bool:
    """An entry that a person would call an error."""
    if log.status is not None:
        return log.status >= 500
    return log.severity in {"ERROR", "CRITICAL", "ALERT", "EMERGENCY"} or (
        log.severity is None and bool(_LOOKS_BAD.search(log.message or ""))
    )


class _Blamer:
    """Shared by all three: insert ids seen, the latest deploy of each service, who was blamed."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.deployed: dict[str, Deploy] = {}
        self.blamed: set[tuple[str, str]] = set()

    def is_new(self, log: Log) -> bool:
        if log.insert_id is None:
            return True
        if log.insert_id in self.seen:
            return False
        self.seen.add(log.insert_id)
        return True

    def blame(self, service: str, revision: str, now: float, why: str) -> list[Attribution]:
        if (service, revision) in self.blamed:
            return []
        self.blamed.add((service, revision))
        return [Attribution(Cause.REVISION, service, revision, 0.5, why, at_s=now, since_s=now)]


class FirstNewFingerprint(_Blamer):
    """The first error text never seen before, within ten minutes of a deploy of its service, blames that deploy."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[tuple[str, str]] = set()
        self.news: list[tuple[str, str]] = []

    def feed(self, signal: Signal) -> None:
        if isinstance(signal, Deploy):
            self.deployed[signal.service] = signal
        elif isinstance(signal, Log) and self.is_new(signal) and is_error(signal):
            text = (signal.service, _CHANGING.sub("#", signal.message or f"HTTP {signal.status}"))
            deploy = self.deployed.get(signal.service)
            if text not in self.known and deploy and 0 <= signal.t - deploy.t <= 600:
                self.news.append((deploy.service, deploy.revision))
            self.known.add(text)

    def tick(self, now: float) -> list[Attribution]:
        news, self.news = self.news, []
        return [said for service, revision in news for said in self.blame(service, revision, now, "a new error")]


class _Ratios(_Blamer):
    """Errors and requests of the last five minutes by revision, from request logs, else from counts and error lines."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[tuple[str, str], deque[tuple[float, int, int]]] = defaultdict(deque)
        self.from_log: set[str] = set()

    def feed(self, signal: Signal) -> None:
        if isinstance(signal, Deploy):
            self.deployed[signal.service] = signal
        elif isinstance(signal, Requests) and signal.revision and signal.service not in self.from_log:
            bad = signal.count if signal.response_class == "5xx" else 0
            self.requests[signal.service, signal.revision].append((signal.t, signal.count, bad))
        elif isinstance(signal, Log) and signal.revision and signal.status is not None and self.is_new(signal):
            if signal.status < 400:  # every request is logged here: counts would count them twice
                self.from_log.add(signal.service)
            if signal.service in self.from_log:
                self.requests[signal.service, signal.revision].append((signal.t, 1, int(signal.status >= 500)))

    def ratio(self, service: str, revision: str, since: float) -> tuple[int, int]:
        """Errors and requests from `since` on."""
        found = [one for one in self.requests[service, revision] if one[0] >= since]
        return sum(one[2] for one in found), sum(one[1] for one in found)


class FivePercent(_Ratios):
    """A revision with four failures and more, above 5 % of its requests in five minutes, as rollout controllers judge."""

    def tick(self, now: float) -> list[Attribution]:
        said: list[Attribution] = []
        for deploy in self.deployed.values():
            bad, total = self.ratio(deploy.service, deploy.revision, max(deploy.t, now - WINDOW_S))
            if bad >= 4 and bad > 0.05 * total:
                said += self.blame(deploy.service, deploy.revision, now, f"{bad} of {total} requests failed")
        return said


class TripleRatio(_Ratios):
    """A service whose error ratio since the deploy is three times that of the ten minutes before."""

    def tick(self, now: float) -> list[Attribution]:
        said: list[Attribution] = []
        for deploy in self.deployed.values():
            bad, total = self.ratio(deploy.service, deploy.revision, deploy.t)
            earlier = [
                one
                for (service, _), every in self.requests.items()
                if service == deploy.service
                for one in every
                if deploy.t - 600 <= one[0] < deploy.t
            ]
            before = sum(one[2] for one in earlier) / max(1, sum(one[1] for one in earlier))
            if now - deploy.t <= 900 and bad >= 2 and total and bad / total > 3 * before:
                said += self.blame(
                    deploy.service, deploy.revision, now, f"{bad} of {total} failed, {before:.1%} before"
                )
        return said


BASELINES: dict[str, Callable[[], Answerer]] = {
    "first new fingerprint": FirstNewFingerprint,
    "5 % of requests": FivePercent,
    "3 × the ratio before": TripleRatio,
}
