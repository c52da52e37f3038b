"""The pipeline is green and no test ran: pytest finds none, for it is started where the package cannot be imported."""

from typing import Final

from bot.sandbox.pipeline import COLLECT, SUITE, NotSent, Pipeline
from bot.sandbox.scenarios.scenario import Scenario, Stage

COMMIT: Final = "0c011ec7ed00112233445566778899aabbccddee"


async def play(stage: Stage) -> None:
    """Collect in the broken project, report it, and mend the project while people look at the card."""
    pipeline = stage.pipeline
    if pipeline is None:
        stage.tell("There is no pipeline here to play with.")
        return
    pipeline.lay_out()
    stage.tell(f'dana merges {COMMIT[:7]} "Move the package to backend/". The deploy is green.')
    await stage.pause(2)
    stage.tell(f"The pipeline collects {SUITE}: python {' '.join(COLLECT[1:])}")
    if not await report(stage, pipeline):
        return
    stage.tell("Not one test is found, and no pipeline turns red for that. Look at #auth-alerts: a P0, with the cause.")
    await stage.pause(12)
    pipeline.fix()
    stage.tell(
        "dana adds `pythonpath = backend` to pytest.ini. Press Rerun on the card: the same collection, here and now."
    )


async def report(stage: Stage, pipeline: Pipeline) -> bool:
    """Collect and send what came of it; False when the bot did not take it."""
    printed = await pipeline.collect()
    last = printed.output.decode(errors="replace").strip().rpartition("\n")[2]
    stage.tell(f"pytest ends with {printed.exit_code}: {last}")
    try:
        await pipeline.send(printed, commit=COMMIT)
    except NotSent as why:
        stage.tell(f"The bot did not take the report: {why}")
        return False
    return True


SCENARIO: Final = Scenario(
    "zero-tests-collected",
    "Green, and not one test was run",
    "The end-to-end suite of the golden path is collected by a real pytest from the wrong directory, and finds nothing. "
    "The card says why; after dana's fix, Rerun on the card collects it again and the card is resolved.",
    play,
)
