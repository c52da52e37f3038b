"""Releases as the scenarios make them: the first play has the names of the story, later plays have new ones."""

from collections.abc import Mapping

from bot.sandbox.local_google import Image
from bot.sandbox.scenarios.scenario import Stage
from bot.sandbox.scenarios.start import DEPLOYER, image_of, labels_of


async def release(
    stage: Stage,
    service: str,
    behaviour: Image,
    *,
    commit: str,
    build: str,
    number: int | None = None,
    suffix: str | None = None,
    traffic: str = "latest",
    env: Mapping[str, str] | None = None,
) -> str:
    """Deploy what `behaviour` describes, by dana's pipeline; the revision's name once it is Ready or has failed.

    `number` and `suffix` hold only while they are free; after that the next number and a suffix by chance are taken.
    """
    google = stage.google
    image = image_of(service, commit)
    google.images[image] = behaviour
    if number is not None and suffix is not None and f"{service}-{number:05d}-{suffix}" in google.revisions(service):
        number = suffix = None
    newest = google.newest_number(service)
    if number is not None and number < newest:
        number = None
    return await google.deploy(
        service,
        image=image,
        by=DEPLOYER,
        env=env,
        labels=labels_of(commit, build),
        traffic=traffic,
        number=number,
        suffix=suffix,
        wait=True,
    )
