"""What services need beside each other: databases, caches, brokers; each is there until somebody takes it away.

A dependency is a name and whether it answers. Where it is and in which words its absence is reported stand with those
who need it (`image.Need`), as in production, where each driver has words of its own for the same outage.
"""


class Dependencies:
    """The dependencies that do not answer; all others do."""

    def __init__(self) -> None:
        """All answer."""
        self._down: set[str] = set()

    def take_down(self, name: str) -> None:
        """From now on it answers nobody; again is the same as once."""
        self._down.add(name)

    def bring_up(self, name: str) -> None:
        """It answers again; one that was never away stays as it is."""
        self._down.discard(name)

    def bring_all_up(self) -> None:
        """All answer again."""
        self._down.clear()

    def answers(self, name: str) -> bool:
        """Whether it can be used now."""
        return name not in self._down
