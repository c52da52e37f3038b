"""The contract of a Web API method: one value that says what it takes, who may call it, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.local_slack.arguments import Arguments
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.state import State
from bot.sandbox.local_slack.tokens import Caller, TokenKind
from bot.sandbox.local_slack.workspace import Workspace

PEOPLE_AND_BOTS = frozenset({TokenKind.BOT, TokenKind.USER})
ALWAYS_TAKEN = frozenset({"token", "team_id"})


@dataclass(frozen=True, slots=True)
class Call:
    args: Arguments
    caller: Caller
    state: State

    @property
    def workspace(self) -> Workspace:
        return self.state.workspace

    def needs(self, *scopes: str) -> None:
        """Any one of these scopes; raises Refused("missing_scope")."""
        if scopes and not self.caller.scopes & set(scopes):
            more = {"needed": ",".join(scopes), "provided": ",".join(sorted(self.caller.scopes))}
            raise Refused("missing_scope", more=more)


@dataclass(frozen=True, slots=True)
class Method:
    """One method.

    Attributes:
        run: does it and returns the answer without `ok`; raises Refused.
        takes: the arguments it knows, separated by spaces; others are refused. None: any.
        scopes: one of these is needed, separated by spaces; "" when none is.
        needs_token: False only for api.test.
    """

    name: str
    run: Callable[[Call], Json]
    tier: Tier
    takes: str | None = ""
    scopes: str = ""
    tokens: frozenset[TokenKind] = PEOPLE_AND_BOTS
    needs_token: bool = True

    def call(self, call: Call) -> Json:
        if self.needs_token and call.caller.kind not in self.tokens:
            raise Refused("not_allowed_token_type")
        call.needs(*self.scopes.split())
        if self.takes is not None:
            call.args.refuse_unknown(ALWAYS_TAKEN | set(self.takes.split()))
            team = call.args.text("team_id")
            if team and team != call.workspace.team.id:
                raise Refused("team_not_found")
        return self.run(call)
