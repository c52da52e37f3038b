"""The Web API, one file for each family; to add a family, add its file and its line here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bot.sandbox.local_slack.method import Method
from bot.sandbox.local_slack.methods import (
    chat,
    conversations,
    files,
    general,
    history,
    reactions,
    usergroups,
    users,
    views,
)

FAMILIES: Final = (
    general.FAMILY,
    chat.FAMILY,
    conversations.FAMILY,
    history.FAMILY,
    users.FAMILY,
    usergroups.FAMILY,
    reactions.FAMILY,
    views.FAMILY,
    files.FAMILY,
)
METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {method.name: method for family in FAMILIES for method in family}
)
