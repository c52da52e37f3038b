"""`reliability judge`: attribution on standard input and output, for evaluation and for embedding.

One JSON object a line, in order of arrival: `reset`, `deploy`, `config`, `log`, `request_count`, `tick`. Only `reset` and
`tick` are answered: with `{"ok":1}`, before which a tick says one line for each cause that is new. Flushed at once.
"""

from __future__ import annotations

import sys
from typing import BinaryIO

_OK = b'{"ok":1}\n'
_MAX_COMPLAINTS = 100  # lines; a million broken lines should not fill a disk


def judge() -> None:
    """Judge signals on standard input: JSON lines in, causes out. Made for evaluation and embedding."""
    judge_lines(sys.stdin.buffer, sys.stdout.buffer, sys.stderr.buffer)


def judge_lines(lines: BinaryIO, answers: BinaryIO, complaints: BinaryIO) -> None:
    """Answer `lines` until they end. A line that cannot be read is told with its number and is as if it had not come."""
    import msgspec

    from bot.correlate.attribution import Attributor
    from bot.correlate.attribution.wire import Reset, Tick, decode, encode

    engine = Attributor()
    feed, broken = engine.feed, 0
    for number, line in enumerate(lines, start=1):
        try:
            signal = decode(line)
        except msgspec.MsgspecError as error:
            broken += bool(line.strip())
            if line.strip() and broken <= _MAX_COMPLAINTS:
                complaints.write(f"line {number}: {error}\n".encode())
                complaints.flush()
            continue
        if signal is None:
            continue
        if isinstance(signal, Tick):
            answers.writelines(encode(said) for said in engine.tick(signal.rt) if not said.withdrawn)
        elif isinstance(signal, Reset):
            engine = Attributor()
            feed = engine.feed
        else:
            feed(signal)
            continue
        answers.write(_OK)
        answers.flush()
