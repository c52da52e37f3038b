"""What was seen lately, in bounded memory: sets and dictionaries in generations, the oldest of which is dropped whole."""

from __future__ import annotations

from typing import Generic, TypeVar

V = TypeVar("V")


class RecentIds:
    """Which ids came before: remembered for at least `seconds` or the last `2 * generation` of them.

    64-bit hashes are kept (of about 66 bytes an id, at most three generations); two ids in 10⁶ collide once in 10⁷ runs.
    """

    __slots__ = ("_generation", "_older", "_oldest", "_seconds", "_since", "_young")

    def __init__(self, *, generation: int = 1_000_000, seconds: float = 600.0) -> None:
        self._generation = generation
        self._seconds = seconds / 2
        self._young: set[int] = set()
        self._older: set[int] = set()
        self._oldest: set[int] = set()
        self._since = 0.0

    def is_new(self, name: str, at: float) -> bool:
        """True the first time, and remembers it. `at`: time of arrival in seconds, not decreasing."""
        key = hash(name)
        young = self._young
        if key in young or key in self._older or key in self._oldest:
            return False
        if len(young) >= self._generation or at - self._since > self._seconds:
            if young:
                self._oldest, self._older = self._older, young
            self._young = young = set()
            self._since = at
        young.add(key)
        return True

    def __len__(self) -> int:
        return len(self._young) + len(self._older) + len(self._oldest)


class RecentMap(Generic[V]):
    """The last `generation` to `2 * generation` values by key; a value that is read stays."""

    __slots__ = ("_generation", "_old", "_young")

    def __init__(self, generation: int) -> None:
        self._generation = generation
        self._young: dict[object, V] = {}
        self._old: dict[object, V] = {}

    def get(self, key: object) -> V | None:
        value = self._young.get(key)
        if value is None:
            value = self._old.pop(key, None)
            if value is not None:
                self.put(key, value)
        return value

    def put(self, key: object, value: V) -> None:
        if len(self._young) >= self._generation:
            self._old, self._young = self._young, {}
        self._young[key] = value

    def __len__(self) -> int:
        return len(self._young) + len(self._old)
