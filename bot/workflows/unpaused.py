"""Python's cyclic garbage collector stops everything while it looks at each object: 0.1 s for a report of 60,000 cases.

What a report is made of has no cycles and is freed without it, so it waits until such a report is gone.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_inside = 0


@contextmanager
def unpaused() -> Iterator[None]:
    """No collection inside, nested or side by side; for the event loop's thread. Let go of what is large before it ends."""
    global _inside  # noqa: PLW0603 - the collector is the interpreter's own, and so is the count of who holds it up
    _inside += 1
    gc.disable()
    try:
        yield
    finally:
        _inside -= 1
        if not _inside:
            gc.enable()
