"""A green run that is not: it has fewer tests than the last good one, and nothing turned red for that.

Some of the tests have only moved; those are told apart from the ones that are lost.
"""

from typing import Final

from bot.sandbox.pipeline import SUITE
from bot.sandbox.sample_project import VANISHED
from bot.sandbox.scenarios.reports import commit_of, send
from bot.sandbox.scenarios.scenario import Scenario, Stage


async def play(stage: Stage) -> None:
    """A good run, a commit that loses tests, a run that is green all the same; then the commit is mended."""
    pipeline = stage.pipeline
    if pipeline is None:
        stage.tell("There is no pipeline here to play with.")
        return
    how = VANISHED[stage.seed % len(VANISHED)]
    good, lossy = (commit_of(f"tests-vanished/{name}", stage.seed) for name in ("good", "lossy"))
    pipeline.lay_out()
    stage.tell(f"The pipeline runs {SUITE} on {good[:7]}.")
    if not await send(stage, pipeline, await pipeline.run(), good):
        return
    await stage.pause(4)
    pipeline.change(how.broken)
    stage.tell(f'dana merges {lossy[:7]} "{how.title}". The pipeline runs {SUITE} again.')
    if not await send(stage, pipeline, await pipeline.run(), lossy):
        return
    stage.tell("Green, with fewer tests. Look at #auth-alerts: which are gone, and which have only moved.")
    await stage.pause(12)
    pipeline.change(how.mended)
    stage.tell(f"dana {how.fix}. Press Rerun on the card: all tests are found again.")


SCENARIO: Final = Scenario(
    "tests-vanished",
    "Green, with fewer tests than before",
    "A commit moves some end-to-end tests and loses others: pytest does not collect them any more, and the run is green. "
    "The card lists what is gone and tells it apart from what moved; after dana's fix, Rerun finds all of them.",
    play,
)
