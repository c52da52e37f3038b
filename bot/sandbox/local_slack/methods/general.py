"""api.test, auth.test, apps.connections.open, bots.info, team.info: who am I, where am I, is anybody there."""

from bot.sandbox.local_slack.entities import bot_profile
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.tokens import TokenKind


def test_api(call: Call) -> Json:
    arguments = {name: value for name, value in call.args.as_json().items() if name != "token"}
    if "error" in arguments:
        raise Refused(str(arguments["error"]), more={"args": arguments})
    return {"args": arguments} if arguments else {}


def test_auth(call: Call) -> Json:
    workspace, caller = call.workspace, call.caller
    if caller.kind is TokenKind.APP:
        return {"app_name": workspace.app.name, "app_id": workspace.app.id}
    answer: Json = {
        "url": f"https://{workspace.team.domain}.slack.com/",
        "team": workspace.team.name,
        "user": workspace.user(caller.user).name,
        "team_id": workspace.team.id,
        "user_id": caller.user,
    }
    if caller.is_bot:
        answer["bot_id"] = workspace.app.bot_id
    return answer | {"is_enterprise_install": False}


def open_connection(call: Call) -> Json:
    return {"url": call.state.issue_link(call.state.base_url)}


def show_bot(call: Call) -> Json:
    workspace = call.workspace
    wanted = call.args.text("bot") or workspace.app.bot_id
    if wanted != workspace.app.bot_id:
        raise Refused("bot_not_found")
    return {"bot": bot_profile(workspace.app, workspace.team)}


def show_team(call: Call) -> Json:
    team = call.workspace.team
    if call.args.text("team", team.id) != team.id:
        raise Refused("team_not_found")
    return {
        "team": {
            "id": team.id,
            "name": team.name,
            "url": f"https://{team.domain}.slack.com/",
            "domain": team.domain,
            "email_domain": f"{team.domain}.example",
            "icon": {"image_default": True},
            "avatar_base_url": "",
            "is_verified": False,
        }
    }


ANY_TOKEN = frozenset(TokenKind)
FAMILY = (
    Method("api.test", test_api, Tier.FOUR, takes=None, tokens=ANY_TOKEN, needs_token=False),
    Method("auth.test", test_auth, Tier.UNLIMITED, tokens=ANY_TOKEN),
    Method(
        "apps.connections.open",
        open_connection,
        Tier.THREE,
        scopes="connections:write",
        tokens=frozenset({TokenKind.APP}),
    ),
    Method("bots.info", show_bot, Tier.THREE, takes="bot", scopes="users:read"),
    Method("team.info", show_team, Tier.THREE, takes="team domain", scopes="team:read"),
)
