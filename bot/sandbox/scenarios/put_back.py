"""Undo what a scenario left behind, so that the next one finds the world it tells about.

What a failing release of auth-service left is a person's to decide on (that is what the bot is for) unless the next story
begins with a healthy service.
"""

from bot.sandbox.local_google import LocalGoogle
from bot.sandbox.scenarios.apps import AUTH, AUTH_APP, BACKEND, BACKEND_APP
from bot.sandbox.scenarios.start import DEPLOYER


async def put_back(google: LocalGoogle, *, healthy: bool) -> None:
    """Bring dependencies up, end canaries, and let backend-service serve as in the beginning.

    Args:
        google: whose services; nothing that already stands well is touched.
        healthy: auth-service has to answer well, too; otherwise whoever serves it, serves on.
    """
    google.dependencies.bring_all_up()
    for service, good in ((AUTH, AUTH_APP), (BACKEND, BACKEND_APP)):
        serving = google.serving(service)
        well = [name for name in google.revisions(service) if google.behaviour(service, name) == good]
        kept = max(serving, key=lambda name: serving[name])
        if (healthy or service == BACKEND) and kept not in well:
            kept = well[-1]
        if serving != {kept: 100}:
            await google.set_traffic(service, {kept: 100}, by=DEPLOYER, wait=True)
