"""`reliability replay`: what the bot would have posted about recorded log entries and events, and why."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from bot.cli.words import MENDABLE, complain

if TYPE_CHECKING:
    from rich.progress import Progress

    from bot.model.catalog import Catalog
    from bot.replay.drive import Replayed
    from bot.replay.recording import Recording

_PLAIN_BELOW = 1 << 20
"""Bytes; a shorter recording is over before a progress bar could be read."""


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE",
            show_default=False,
            help="What `gcloud logging read --format=json` wrote, and events as the webhooks take them; also .gz.",
        ),
    ],
    catalog: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your reliability.yaml; inferred from the entries if not given.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object per message, then a summary.")] = False,
    speed: Annotated[
        str | None,
        typer.Option(metavar="N|max", help="Watch it in the sandbox's Slack, N times as fast as it happened."),
    ] = None,
) -> None:
    """Run recorded logs through the whole pipeline, on their own clock: what would have been posted, and why.

    Nothing is asked of Google or Slack, nothing is posted. The same files give the same output.
    """
    from bot.errors import ReliabilityError

    try:
        pace = _pace(speed)
        recording, known, replayed = _run(files, catalog)
    except ReliabilityError as error:
        complain(str(error))
        raise typer.Exit(MENDABLE) from None
    if pace is None:
        _print(recording, known, replayed, as_json=as_json, inferred=catalog is None)
        return
    from bot.cli.replay_live import show

    show(replayed, pace)


def _pace(speed: str | None) -> float | None:
    """How many times as fast; infinity for `max`, None where nobody wants to watch."""
    from bot.errors import UserError

    if speed is None:
        return None
    try:
        pace = float("inf") if speed == "max" else float(speed)
    except ValueError:
        pace = 0.0
    if not pace > 0:
        raise UserError(f"--speed must be a number above 0, or max; not {speed}")
    return pace


def _run(files: list[Path], catalog: Path | None) -> tuple[Recording, Catalog, Replayed]:
    from bot.catalog import load
    from bot.replay.drive import replay as drive
    from bot.replay.inferred import infer
    from bot.replay.reading import read

    known = load(catalog) if catalog is not None else None
    size = sum(path.stat().st_size for path in files if path.is_file())
    with _progress(size) as progress:
        recording = read(files, progress.read)
        known = known or infer(recording)
        replayed = asyncio.run(drive(recording, known, progress.replayed))
    return recording, known, replayed


class _Progress(Protocol):
    def read(self, size: int) -> None: ...
    def replayed(self, fraction: float) -> None: ...


class _NoProgress:
    def read(self, size: int) -> None:
        pass

    def replayed(self, fraction: float) -> None:
        pass


@contextmanager
def _progress(size: int) -> Iterator[_Progress]:
    """A bar on stderr, where that is a terminal and the files are long."""
    if not sys.stderr.isatty() or size < _PLAIN_BELOW:
        yield _NoProgress()
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield _Bars(bar, size)


class _Bars:
    def __init__(self, bar: Progress, size: int) -> None:
        self._bar = bar
        self._reading = bar.add_task("Reading", total=size)
        self._replaying = bar.add_task("Replaying", total=1.0)

    def read(self, size: int) -> None:
        self._bar.advance(self._reading, size)

    def replayed(self, fraction: float) -> None:
        self._bar.update(self._replaying, completed=fraction)


def _print(recording: Recording, known: Catalog, replayed: Replayed, *, as_json: bool, inferred: bool) -> None:
    from bot.replay.report import report
    from bot.replay.telling import json_lines, told

    form = json_lines if as_json else told
    lines = form(recording, replayed, report(recording, replayed, known), inferred=inferred)
    try:
        for line in lines:
            sys.stdout.buffer.write(f"{line}\n".encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:  # `| head` has seen enough
        sys.stderr.close()
        raise typer.Exit from None
