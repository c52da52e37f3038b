"""Who and what exists in the sandbox's made-up company, by fixed ids: people, groups, channels, the app.

The example catalog (`reliability.yaml`) uses the same ids, so that a bot configured with it finds its
channels, its approvers and its reliability owners in the local Slack without any editing.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str
    domain: str  # acme.slack.com


@dataclass(frozen=True, slots=True)
class App:
    id: str
    bot_id: str
    bot_user: str
    name: str


@dataclass(frozen=True, slots=True)
class Person:
    role: str  # what the sandbox lets this person stand for, not a Slack role
    id: str
    name: str
    real_name: str
    tz: str

    @property
    def email(self) -> str:
        return f"{self.name}@acme.example"


@dataclass(frozen=True, slots=True)
class Group:
    id: str
    handle: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Room:
    id: str
    name: str
    topic: str
    has_bot: bool = True


TEAM: Final = Team(id="T0ACME00001", name="acme", domain="acme")
APP: Final = App(id="A0RELIABLE1", bot_id="B0RELIABLE1", bot_user="U0RELIABOT1", name="reliability")

RESPONDER: Final = Person("responder", "U0RILEY0001", "riley", "Riley Ortega", "America/Los_Angeles")
APPROVER: Final = Person("approver", "U0AVERY0001", "avery", "Avery Lindqvist", "Europe/Berlin")
OUTSIDER: Final = Person("outsider", "U0OSCAR0001", "oscar", "Oscar Mbeki", "Europe/London")
OWNER: Final = Person("owner", "U0OLIVE0001", "olive", "Olive Tanaka", "America/New_York")
DEPLOYER: Final = Person("deployer", "U0DANA00001", "dana", "Dana Whitfield", "America/Chicago")
PEOPLE: Final = (RESPONDER, APPROVER, OUTSIDER, OWNER, DEPLOYER)

APPROVERS: Final = Group("S0APPROVERS", "rollback-approvers", "Rollback approvers", (APPROVER.id, OWNER.id))
AUTH_OWNERS: Final = Group("S0OWNERS001", "auth-owners", "Auth owners", (RESPONDER.id, DEPLOYER.id))
GROUPS: Final = (APPROVERS, AUTH_OWNERS)

AUTH_ALERTS: Final = Room("C0AUTHOPS01", "auth-alerts", "Deploys and incidents of auth-service")
BACKEND_ALERTS: Final = Room("C0BACKOPS01", "backend-alerts", "Deploys and incidents of backend-service")
RELIABILITY: Final = Room("C0RELIABLE1", "reliability", "What is at risk; the fallback of every alert")
GENERAL: Final = Room("C0GENERAL01", "general", "Company-wide announcements")
RANDOM: Final = Room("C0RANDOM001", "random", "Everything else; the bot was not invited", has_bot=False)
ROOMS: Final = (AUTH_ALERTS, BACKEND_ALERTS, RELIABILITY, GENERAL, RANDOM)
