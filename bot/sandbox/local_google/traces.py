"""The trace that a request belongs to, and how it is handed on from service to service.

Headers: `traceparent` (W3C Trace Context, level 1) first, else `X-Cloud-Trace-Context` (`TRACE/SPAN;o=1`, span decimal).
"""

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

_TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}\Z")
_CLOUD: Final = re.compile(r"([0-9a-fA-F]{32})(?:/\d+)?(?:;o=\d+)?\Z")
_NO_TRACE: Final = "0" * 32


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's place in a trace.

    Attributes:
        trace: 32 hexadecimal digits, the same for all requests that one request led to.
        span: 16 hexadecimal digits, this request's own.
    """

    trace: str
    span: str

    def headers(self) -> dict[str, str]:
        """What a request that is made on behalf of this one carries."""
        return {
            "traceparent": f"00-{self.trace}-{self.span}-01",
            "X-Cloud-Trace-Context": f"{self.trace}/{int(self.span, 16)};o=1",
        }


def trace_of(headers: Mapping[str, str], chance: random.Random) -> Trace:
    """The caller's trace with a span of its own; a new trace when there is none or it cannot be read."""
    parent = _TRACEPARENT.match(headers.get("traceparent", "").strip())
    cloud = _CLOUD.match(headers.get("X-Cloud-Trace-Context", "").strip())
    handed = parent[1] if parent else cloud[1].lower() if cloud else _NO_TRACE
    return Trace(new_trace(chance) if handed == _NO_TRACE else handed, new_span(chance))


def new_trace(chance: random.Random) -> str:
    """32 hexadecimal digits, not all zero."""
    return f"{chance.randrange(1, 1 << 128):032x}"


def new_span(chance: random.Random) -> str:
    """16 hexadecimal digits, not all zero."""
    return f"{chance.randrange(1, 1 << 64):016x}"
