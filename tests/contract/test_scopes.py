"""What the app manifest asks for is what the sandbox grants: a scope that is missing would be noticed there."""

from bot.cli.manifest import SCOPES
from bot.sandbox.local_slack import BOT_SCOPES


def test_the_sandbox_grants_the_scopes_of_the_manifest_and_no_others() -> None:
    assert set(SCOPES) == BOT_SCOPES
