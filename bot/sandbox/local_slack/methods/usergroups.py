"""usergroups.*: named groups of people, mentioned as <!subteam^S…>. Not imitated: who may edit groups, sections."""

from bot.sandbox.local_slack.entities import UserGroup
from bot.sandbox.local_slack.ids import new_id
from bot.sandbox.local_slack.json_types import Json
from bot.sandbox.local_slack.method import Call, Method
from bot.sandbox.local_slack.rate_limits import Tier
from bot.sandbox.local_slack.refusals import Refused


def list_groups(call: Call) -> Json:
    with_users, with_count = call.args.flag("include_users"), call.args.flag("include_count")
    return {
        "usergroups": [
            group.as_json(with_users=with_users, with_count=with_count)
            for group in call.workspace.groups.values()
            if not group.disabled_at or call.args.flag("include_disabled")
        ]
    }


def list_users(call: Call) -> Json:
    group = _group(call)
    if group.disabled_at and not call.args.flag("include_disabled"):
        raise Refused("no_such_subteam")
    return {"users": list(group.members)}


def update_users(call: Call) -> Json:
    group = _group(call)
    people = [call.workspace.user(each).id for each in call.args.names("users")]
    if not people:
        raise Refused("no_users_provided")
    group.members = list(dict.fromkeys(people))
    return _updated(call, group)


def create(call: Call) -> Json:
    name = call.args.required("name")
    handle = call.args.text("handle") or name.lower().replace(" ", "-")
    _refuse_taken(call, name, handle, but=None)
    group = UserGroup(
        id=new_id("S"),
        handle=handle,
        name=name,
        team=call.workspace.team.id,
        members=[],
        created=call.workspace.now_seconds(),
        created_by=call.caller.user,
        description=call.args.text("description"),
        channels=[call.workspace.channel(each).id for each in call.args.names("channels")],
    )
    call.workspace.groups[group.id] = group
    return {"usergroup": group.as_json(with_count=call.args.flag("include_count"))}


def update(call: Call) -> Json:
    group = _group(call)
    name, handle = call.args.text("name") or group.name, call.args.text("handle") or group.handle
    _refuse_taken(call, name, handle, but=group.id)
    group.name, group.handle = name, handle
    group.description = call.args.text("description", group.description)
    if "channels" in call.args:
        group.channels = [call.workspace.channel(each).id for each in call.args.names("channels")]
    return _updated(call, group)


def enable(call: Call) -> Json:
    group = _group(call)
    if not group.disabled_at:
        raise Refused("already_enabled")
    group.disabled_at = 0
    return _updated(call, group)


def disable(call: Call) -> Json:
    group = _group(call)
    if group.disabled_at:
        raise Refused("already_disabled")
    group.disabled_at = call.workspace.now_seconds()
    return _updated(call, group)


def _group(call: Call) -> UserGroup:
    group = call.workspace.groups.get(call.args.required("usergroup"))
    if group is None:
        raise Refused("no_such_subteam")
    return group


def _refuse_taken(call: Call, name: str, handle: str, *, but: str | None) -> None:
    others = [group for group in call.workspace.groups.values() if group.id != but]
    if any(group.name == name for group in others):
        raise Refused("name_already_exists")
    if any(group.handle == handle for group in others):
        raise Refused("handle_already_exists")


def _updated(call: Call, group: UserGroup) -> Json:
    group.updated, group.updated_by = call.workspace.now_seconds(), call.caller.user
    return {"usergroup": group.as_json(with_users=True, with_count=call.args.flag("include_count"))}


READ, WRITE = "usergroups:read", "usergroups:write"
FIELDS = "name handle description channels include_count"
FAMILY = (
    Method("usergroups.list", list_groups, Tier.TWO, takes="include_count include_disabled include_users", scopes=READ),
    Method("usergroups.users.list", list_users, Tier.TWO, takes="usergroup include_disabled", scopes=READ),
    Method("usergroups.users.update", update_users, Tier.TWO, takes="usergroup users include_count", scopes=WRITE),
    Method("usergroups.create", create, Tier.TWO, takes=FIELDS, scopes=WRITE),
    Method("usergroups.update", update, Tier.TWO, takes=f"usergroup {FIELDS}", scopes=WRITE),
    Method("usergroups.enable", enable, Tier.TWO, takes="usergroup include_count", scopes=WRITE),
    Method("usergroups.disable", disable, Tier.TWO, takes="usergroup include_count", scopes=WRITE),
)
