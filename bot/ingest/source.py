"""The contract of an event source: two pure functions and the words for what went wrong.

    delivery ─► verify ─► delivery id ─► parse ─► events
                  │                        │
                  └ Rejected 401           └ Rejected, parked

`bot.ingest.http` does the waiting around them: reads the body, fetches keys, stores, answers. A new source is one
module with a `SOURCE`, one line in `SOURCES` (`bot/ingest/__init__.py`), and its recorded deliveries in
`tests/cases/events/<source>/`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

import msgspec

from bot.errors import Rejected
from bot.ingest.config import IngestConfig
from bot.ingest.keys import PublicKeys, VerifiedTokens
from bot.model.event import DeployEvent

T = TypeVar("T")

_PRINTABLE = re.compile(r"[\x21-\x7e]{1,128}")
_UNSHOWABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Delivery:
    """One HTTP receipt.

    Attributes:
        headers: looked up without regard to case.
        received_at: aware UTC, by our clock: the only `now` that verify and parse know.
    """

    headers: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True)
class Trust:
    """What a source may need to believe a delivery.

    Attributes:
        keys: the sender's public keys by id; empty for sources that share a secret instead.
        verified: tokens already verified against these very settings; a memory, never a reason by itself.
    """

    config: IngestConfig
    keys: PublicKeys = field(default_factory=dict)
    verified: VerifiedTokens = field(default_factory=VerifiedTokens)


@dataclass(frozen=True)
class Source:
    """One way in.

    Attributes:
        name: the word in `DeployEvent.source` and in the inbox. path: where it is posted.
        enabled_by: the settings to set; shown while `is_enabled` says no.
        verify: → delivery id. Raises Rejected(401) for what is not proven to be the sender's: nothing is stored.
            Pure: no clock, no I/O.
        parse: (delivery, its id) → events, [] for an authentic delivery that is none of our business. Raises
            Rejected(park=True) for what cannot be understood. Pure.
        key_id: → id of the public key that verify will need, None when it needs none.
        content_types: what else than these is answered with 415; () = anything.
        taken: HTTP status for what was stored. parked: for what was authentic but malformed.
    """

    name: str
    path: str
    enabled_by: tuple[str, ...]
    is_enabled: Callable[[IngestConfig], bool]
    verify: Callable[[Delivery, Trust], str]
    parse: Callable[[Delivery, str], list[DeployEvent]]
    key_id: Callable[[Delivery], str | None] = lambda _delivery: None
    content_types: tuple[str, ...] = ()
    taken: int = 204
    parked: int = 400


class Inbox(Protocol):
    """Where deliveries are stored; one transaction each. Whatever it raises makes the sender try again later."""

    async def take(self, source: str, delivery_id: str, body: bytes, events: list[DeployEvent]) -> bool:
        """True: new. False: seen before, nothing was written."""
        ...

    async def park(self, source: str, delivery_id: str, body: bytes, why: str) -> bool:
        """Keep what could not be understood for a person. True: new. False: parked before."""
        ...


def id_of_body(body: bytes) -> str:
    """A delivery id for what names none itself: the same bytes are the same delivery."""
    return f"sha256-{hashlib.sha256(body).hexdigest()[:40]}"


def is_delivery_id(text: str) -> bool:
    """Printable ASCII without spaces, at most 128 characters: fits keys, logs and file names."""
    return _PRINTABLE.fullmatch(text) is not None


def clean(text: str, limit: int = 4_000) -> str:
    """Untrusted text as it may be stored: no control characters (PostgreSQL has no NUL), at most `limit` long."""
    return _UNSHOWABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit])


def decode(body: bytes, type_: type[T], what: str) -> T:
    """JSON to a msgspec type, whatever somebody sent.

    Raises:
        Rejected: to be parked; names the field: "a deploy: `service`: expected `str`, got `int`".
    """
    try:
        return msgspec.json.decode(body, type=type_)
    except RecursionError:
        problem = "is nested too deeply"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}"
    except msgspec.DecodeError as error:
        problem = _with_field_first(str(error))
    raise Rejected(f"{what}: {clean(problem, 300)}", status=400, park=True)


def _with_field_first(message: str) -> str:
    """As msgspec says it: "Expected `str`, got `int` - at `$.service`"."""
    problem, separator, place = message.rpartition(" - at `$")
    if not separator:
        return message
    field_path = place.removesuffix("`").removeprefix(".")
    return f"`{field_path}`: {problem[:1].lower()}{problem[1:]}"
