"""The pipeline is green and no test ran: pytest finds none, in one of the ways in which that happens."""

from typing import Final

from bot.sandbox.pipeline import COLLECT, SUITE
from bot.sandbox.sample_project import NOT_FOUND
from bot.sandbox.scenarios.reports import commit_of, send
from bot.sandbox.scenarios.scenario import Scenario, Stage


async def play(stage: Stage) -> None:
    """Collect in the broken project, report it, and mend the project while people look at the card."""
    pipeline = stage.pipeline
    if pipeline is None:
        stage.tell("There is no pipeline here to play with.")
        return
    how, commit = NOT_FOUND[stage.seed % len(NOT_FOUND)], commit_of("zero-tests-collected", stage.seed)
    pipeline.lay_out(how.broken)
    stage.tell(f'dana merges {commit[:7]} "{how.title}". The deploy is green.')
    await stage.pause(2)
    stage.tell(f"The pipeline collects {SUITE}: python {' '.join(COLLECT[1:])}")
    if not await send(stage, pipeline, await pipeline.collect(), commit):
        return
    stage.tell("Not one test is found, and no pipeline turns red for that. Look at #auth-alerts: a P0, with the cause.")
    await stage.pause(12)
    pipeline.change(how.mended)
    stage.tell(f"dana {how.fix}. Press Rerun on the card: the same collection, here and now.")


SCENARIO: Final = Scenario(
    "zero-tests-collected",
    "Green, and not one test was run",
    "The end-to-end suite of the golden path is collected by a real pytest that finds nothing: started from the wrong "
    "directory, without its package, with names or marks that match no test. The card says why; after dana's fix, Rerun on "
    "the card collects it again and the card is resolved.",
    play,
)
