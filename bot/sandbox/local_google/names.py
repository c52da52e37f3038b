"""Resource names of Cloud Run v2 and the random parts that the platform invents."""

import base64
import random
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.sandbox.local_google.refusals import invalid

_SERVICE: Final = re.compile(r"projects/([^/]+)/locations/([^/]+)/services/([^/]+)\Z")
_REVISION: Final = re.compile(r"projects/([^/]+)/locations/([^/]+)/services/([^/]+)/revisions/([^/]+)\Z")
_PARENT: Final = re.compile(r"projects/([^/]+)/locations/([^/]+)\Z")
_ID: Final = re.compile(r"[a-z]([-a-z0-9]{0,47}[a-z0-9])?\Z")
_LETTERS: Final = "bcdfghjklmnpqrstvwxz"


@dataclass(frozen=True, slots=True)
class Place:
    """One project in one region."""

    project: str
    region: str

    @property
    def parent(self) -> str:
        """`projects/P/locations/R`."""
        return f"projects/{self.project}/locations/{self.region}"

    def service(self, name: str) -> str:
        """Full name of a service."""
        return f"{self.parent}/services/{name}"

    def revision(self, service: str, name: str) -> str:
        """Full name of a revision."""
        return f"{self.parent}/services/{service}/revisions/{name}"


def parse_service(name: str) -> tuple[Place, str]:
    """(place, short name) of `projects/P/locations/R/services/S`; INVALID_ARGUMENT otherwise."""
    match = _SERVICE.match(name)
    if not match:
        raise invalid(f"Invalid service name '{name}'. Expected projects/*/locations/*/services/*.")
    return Place(match.group(1), match.group(2)), match.group(3)


def parse_revision(name: str) -> tuple[Place, str, str]:
    """(place, service, short name) of a revision's full name; INVALID_ARGUMENT otherwise."""
    match = _REVISION.match(name)
    if not match:
        raise invalid(f"Invalid revision name '{name}'. Expected projects/*/locations/*/services/*/revisions/*.")
    return Place(match.group(1), match.group(2)), match.group(3), match.group(4)


def parse_parent(parent: str) -> Place:
    """The place of `projects/P/locations/R`; a wildcard region is refused, as Cloud Run does."""
    match = _PARENT.match(parent)
    if not match or match.group(2) == "-":
        raise invalid(f"Invalid parent '{parent}'. Expected projects/*/locations/*, wildcards are not supported.")
    return Place(match.group(1), match.group(2))


def check_service_id(name: str) -> None:
    """INVALID_ARGUMENT unless `name` is a DNS label of at most 49 characters."""
    if not _ID.match(name):
        raise invalid(
            f"Invalid service id '{name}'. Only lowercase, digits, and hyphens; must begin with letter, and cannot end "
            "with hyphen; must be less than 50 characters."
        )


def revision_suffix(chance: random.Random) -> str:
    """Three characters such as `kzq`."""
    return "".join(chance.choice(_LETTERS) for _ in range(3))


def etag(resource: str, generation: int, moment: datetime) -> str:
    """An opaque fingerprint in quotes that changes with each accepted update."""
    return '"' + base64.b64encode(f"{moment.timestamp():.6f}.{generation}/{resource}".encode()).decode() + '"'


def short(full_name: str) -> str:
    """The last segment of a full name."""
    return full_name.rsplit("/", 1)[-1]
