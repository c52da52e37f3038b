"""What the suites said of the commits that revisions were made of: told at the deploy, on the card, and when it comes late.

Deploys and reports may come in any order, so both ends tell: a look at a deployment tells what is known of its young
revisions, and a run that was understood tells the deployments that stand on its commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.decide.incident import credited
from bot.decide.suites.commits import guarding, same_commit, words_on
from bot.deps import Deps
from bot.model.catalog import Catalog, Place
from bot.model.cloud_run import Revision, ServiceState
from bot.model.commit_tests import CommitTests, SuiteWord
from bot.model.event import DeployEvent
from bot.model.incident import FailedRevision
from bot.model.links import commit_url
from bot.model.suite import TestRun
from bot.store import inbox, incidents, messages, places, test_runs
from bot.workflows.sight import EVENTS_BEFORE

TOLD_FOR = timedelta(days=1)
"""A deploy is news for so long; what its suites say later is told by their own alarms."""

DEPLOY, QUIET = "deploy/tests", "deploy/quiet"


async def of_revisions(
    session: AsyncSession, catalog: Catalog, service_key: str, made: Iterable[FailedRevision]
) -> Mapping[str, CommitTests]:
    """By revision; those are missing whose commit nobody knows, and those that no suite has a word on or should have."""
    known = {each.name: each.commit for each in made if each.commit}
    if not known or not guarding(catalog, service_key):
        return {}
    news = await test_runs.about_commits(session, known.values())
    words = {name: words_on(catalog, service_key, commit, news) for name, commit in known.items()}
    return {name: CommitTests(service_key, name, known[name], said) for name, said in words.items() if said}


async def of_place(
    session: AsyncSession, catalog: Catalog, place: Place, state: ServiceState, names: Iterable[str]
) -> Mapping[str, CommitTests]:
    """As `of_revisions`, for revisions of a deployment that are known by name only."""
    found = [revision for name in names if (revision := state.revision(name)) is not None]
    if not found:
        return {}
    events = await inbox.of_place(session, place.key, min(each.created_at for each in found) - EVENTS_BEFORE)
    made = [credited(revision, state, events) for revision in found]
    return await of_revisions(session, catalog, place.service_key, made)


async def on_young(
    session: AsyncSession,
    catalog: Catalog,
    place: Place,
    state: ServiceState,
    events: Sequence[DeployEvent],
    since: datetime,
) -> Mapping[str, tuple[SuiteWord, ...]]:
    """What the suites say of the revisions that serve or came since then, for whoever looks for a cause."""
    young = [each for each in state.revisions if each.name in state.fact.serving or each.created_at >= since]
    made = [credited(revision, state, events) for revision in young]
    found = await of_revisions(session, catalog, place.service_key, made)
    return {name: tests.suites for name, tests in found.items()}


async def tell_deploys(deps: Deps, session: AsyncSession, place: Place, state: ServiceState, now: datetime) -> None:
    """Deploys whose suites were red, found no test or cannot be read are told in the channel, once each; the message,
    and the quiet line of a healthy deploy, follow what is reported later.
    """
    if not guarding(deps.catalog, place.service_key):
        return
    fresh = await _fresh(session, place, state, now)
    said = await of_place(session, deps.catalog, place, state, fresh)
    for name, tests in said.items():
        context = {
            "service": state.name,
            "environment": place.environment,
            "commit_url": commit_url(place.service, tests.commit),
            "deployed_at": fresh[name].created_at,
            "tests": tests,
        }
        channel, warning = place.service.channel, f"tests:{place.key}:{name}"
        if tests.bad or await messages.context_of(session, warning) is not None:
            await messages.show(session, warning, DEPLOY, context, channel, now)
        quiet = quiet_line(place, name)
        told = await messages.context_of(session, quiet)
        if told is not None:
            await messages.show(session, quiet, QUIET, told | {"tests": tests}, channel, now)


def quiet_line(place: Place, revision: str) -> str:
    """Identity of the line that tells of a healthy deploy."""
    return f"healthy:{place.key}:{revision}"


async def _fresh(session: AsyncSession, place: Place, state: ServiceState, now: datetime) -> Mapping[str, Revision]:
    """Revisions that came while the bot was there, lately, and that serve or are to serve."""
    young = [
        each
        for each in state.revisions
        if (each.name in state.fact.serving or each.name == state.latest_created) and now - each.created_at <= TOLD_FOR
    ]
    if not young:
        return {}
    watched_since = min((row.first_seen for row in await places.ledger(session, place.key)), default=now)
    return {each.name: each for each in young if each.created_at >= watched_since}


async def spread(deps: Deps, session: AsyncSession, run: TestRun) -> None:
    """What a run that was just stored says of its commit reaches the open cards and the deploys that it is about.

    Raises:
        Conflict: an incident was changed meanwhile; the transaction is to be repeated.
    """
    if not run.commit:
        return
    for incident in await incidents.all_open(session):
        known, place = incident.tests, deps.catalog.place(incident.place)
        if known is None or place is None or not same_commit(known.commit, run.commit):
            continue
        news = await test_runs.about_commits(session, [known.commit])
        tests = replace(known, suites=words_on(deps.catalog, known.service, known.commit, news))
        if tests != known:
            stored = await incidents.save(session, replace(incident, tests=tests))
            await messages.want_card(session, stored, place.service.channel, deps.now())
    looks = await places.last_looks(session)
    for place in deps.catalog.places:
        look = looks.get(place.key)
        if look is not None and look.state is not None and run.suite in guarding(deps.catalog, place.service_key):
            await tell_deploys(deps, session, place, look.state, deps.now())
