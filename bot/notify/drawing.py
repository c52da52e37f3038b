"""Draws charts in a process of its own: whatever a chart is made of, the bot keeps listening meanwhile.

`python -m bot.notify.drawing` reads a `Wish` as JSON and writes a PNG. The process costs a second of one core and
gives back all memory when it ends; one draws at a time.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path

import msgspec

from bot.errors import Permanent, Retryable
from bot.model.series import ErrorSeries

DEADLINE_S = 30.0
_ROOT = Path(__file__).parents[2]
_PNG = b"\x89PNG\r\n\x1a\n"


class Wish(msgspec.Struct, frozen=True):
    """A chart to be drawn; see `bot.notify.charts.errors_chart`."""

    series: ErrorSeries
    title: str
    service: str


class Drawing:
    """Draws one chart at a time.

    Args:
        deadline_s: a process that takes longer is ended.
    """

    def __init__(self, deadline_s: float = DEADLINE_S) -> None:
        self._deadline_s = deadline_s
        self._one_at_a_time = asyncio.Semaphore(1)

    async def draw(self, wish: Wish) -> bytes:
        """The chart as a PNG.

        Raises:
            Retryable: it took too long, or the machine has no room for another process now.
            Permanent: this chart cannot be drawn; the log has the reason.
        """
        async with self._one_at_a_time:
            try:
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-m",
                    __name__,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.PIPE,
                    cwd=_ROOT,
                    env={**os.environ, "MPLCONFIGDIR": _fonts()},
                )
            except OSError as error:
                raise Retryable(f"no process could be started for a chart: {error.strerror}") from error
            try:
                async with asyncio.timeout(self._deadline_s):
                    png, said = await process.communicate(msgspec.json.encode(wish))
            except TimeoutError as error:
                raise Retryable(f"a chart was not drawn within {self._deadline_s:g} s") from error
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        if process.returncode or not png.startswith(_PNG):
            why = said.decode(errors="replace").strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
            raise Permanent(f"the chart could not be drawn ({why[0][:200]})")
        return png


@cache
def _fonts() -> str:
    """Matplotlib's folder for its list of fonts: made once, gone with the bot; the home directory may be read-only."""
    folder = tempfile.mkdtemp(prefix="reliability-charts-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def main() -> None:
    """Standard input to standard output."""
    from bot.notify.charts import errors_chart

    wish = msgspec.json.decode(sys.stdin.buffer.read(), type=Wish)
    sys.stdout.buffer.write(errors_chart(wish.series, title=wish.title, service=wish.service))


if __name__ == "__main__":
    main()
