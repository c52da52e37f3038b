"""What the pipeline's scenarios share: commits that every play has new, and a report that is sent, and told of."""

import hashlib

from bot.sandbox.pipeline import NotSent, Pipeline, Report
from bot.sandbox.scenarios.scenario import Stage


def commit_of(name: str, seed: int) -> str:
    """A SHA: of the same name and seed always the same."""
    return hashlib.sha1(f"{name}:{seed}".encode(), usedforsecurity=False).hexdigest()


async def send(stage: Stage, pipeline: Pipeline, report: Report, commit: str) -> bool:
    """Hand a report in and tell how it ended; False when the bot did not take it."""
    stage.tell(f"pytest ends with {report.exit_code}: {report.last_line}")
    try:
        await pipeline.send(report, commit=commit)
    except NotSent as why:
        stage.tell(f"The bot did not take the report: {why}")
        return False
    return True
