"""Every error the bot raises on purpose, by the question the catcher asks.

    ReliabilityError
    ├── Retryable     the same call may succeed later: try again, within a deadline
    ├── Permanent     it will not succeed by itself: tell a person
    │   └── InvalidConfiguration   nothing starts: the text names file, line, field and the mend
    ├── Rejected      a delivery that is not accepted; carries the HTTP status
    ├── Conflict      the world moved since the plan was made: never act, propose anew
    └── UserError     tell *this* person, in their words, what to type instead

Vendor exceptions are translated into these in the folder that knows the vendor, with `raise … from exc`.
"""


class ReliabilityError(Exception):
    """Base of all; its text is fit to be shown to a person and never holds a secret."""


class Retryable(ReliabilityError):
    """The same call may succeed later.

    Args:
        retry_after: seconds that the other side asked us to wait, None if it did not say.
    """

    def __init__(self, text: str, *, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Permanent(ReliabilityError):
    """The same call will fail again: a person has to change something."""


class InvalidConfiguration(Permanent):
    """Settings or catalog are wrong; the bot refuses to start."""


class Rejected(ReliabilityError):
    """A delivery that is not taken.

    Args:
        status: HTTP status of the answer, 4xx.
        park: True keeps the body for a person to look at (authentic but malformed);
            False stores nothing (unsigned, stale, forged).
    """

    def __init__(self, text: str, *, status: int, park: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.park = park


class Conflict(ReliabilityError):
    """The live state is not the one that was shown and approved."""


class UserError(ReliabilityError):
    """What somebody typed or pressed cannot be done; the text says what can."""
