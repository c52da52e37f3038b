"""A test that moved to another file, told apart from one that was lost. Pure.

The same function (class and parameters included) that is missing in one file and new in another has moved. Of several
that have the same name those with the likelier path are paired first; what finds no partner is lost, or new.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection


def renamed(missing: Collection[str], appeared: Collection[str]) -> dict[str, str]:
    """Node id now → node id before, each used at most once.

    Args:
        missing: expected and not there. appeared: there and not known; no node id is in both.
    """
    moved: dict[str, str] = {}
    for whole in (True, False):  # `TestCart::test_adds[1]` first, then `test_adds[1]` in whatever class
        waiting = defaultdict(list)
        for node_id in sorted(set(missing) - set(moved.values())):
            waiting[_function(node_id, whole=whole)].append(node_id)
        for node_id in sorted(set(appeared) - moved.keys()):
            candidates = waiting.get(_function(node_id, whole=whole))
            if candidates:
                best = max(candidates, key=lambda before: _likeness(before, node_id))
                candidates.remove(best)
                moved[node_id] = best
    return moved


def _function(node_id: str, *, whole: bool) -> str:
    head, parameters = _split(node_id)
    _, separator, rest = head.partition("::")
    name = rest if separator else head
    return (name if whole else name.rpartition("::")[2]) + parameters


def _split(node_id: str) -> tuple[str, str]:
    """(without parameters, `[…]`): parameters may hold `::` and anything else."""
    head, bracket, parameters = node_id.partition("[")
    return head, bracket + parameters


def _likeness(one: str, other: str) -> int:
    """How many path components agree, counted from the end."""
    pairs = zip(reversed(_path(one)), reversed(_path(other)), strict=False)
    count = 0
    for left, right in pairs:
        if left != right:
            break
        count += 1
    return count


def _path(node_id: str) -> list[str]:
    return _split(node_id)[0].partition("::")[0].replace(".", "/").split("/")
