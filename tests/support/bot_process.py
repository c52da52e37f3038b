"""The real bot in a process of its own, which can be told to die, or to be a later release.

python tests/support/bot_process.py                      as it is
python tests/support/bot_process.py --die shift:begun    SIGKILL right before that step's effect
python tests/support/bot_process.py --die shift:done     … right after the effect, before DBOS records it
python tests/support/bot_process.py --later-release      the rollback workflow has one more step
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import signal
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BEFORE = '        shifted_at = await step("mitigate", steps.mitigate, plan_id)\n'
MORE = """        if await DBOS.patch_async("look-around"):
            await step("look_around", steps.begin, plan_id)
"""


class Assassin(logging.Handler):
    """Kills the process when a step logs the given moment."""

    def __init__(self, name: str, moment: str) -> None:
        super().__init__()
        self._name = name
        self._moment = f"step.{moment}"

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage() == self._moment and getattr(record, "step", "") == self._name:
            os.kill(os.getpid(), signal.SIGKILL)


def become_a_later_release() -> None:
    """Load the engine's source with one step more, under its own name."""
    name, path = "bot.workflows.engine", ROOT / "bot" / "workflows" / "engine.py"
    source = path.read_text()
    assert source.count(BEFORE) == 1
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    exec(compile(source.replace(BEFORE, MORE + BEFORE), str(path), "exec"), module.__dict__)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--die")
    parser.add_argument("--later-release", action="store_true")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if options.later_release:
        become_a_later_release()
    if options.die:
        steps = logging.getLogger("bot.workflows.steps")
        steps.addHandler(Assassin(*options.die.split(":")))
        steps.setLevel(logging.DEBUG)
    from bot.cli.run import run

    run()


if __name__ == "__main__":
    main()
