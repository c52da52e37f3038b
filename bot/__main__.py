"""`python -m bot` = `reliability`: arguments and settings in, exit code out."""

from __future__ import annotations

import sys

from bot.cli import app
from bot.errors import ReliabilityError


def main() -> None:
    """The command line. What the bot refuses on purpose is one message; a traceback is a bug of ours."""
    try:
        app(prog_name="reliability")
    except ReliabilityError as refusal:
        from bot.cli import words

        words.complain(str(refusal))
        sys.exit(words.MENDABLE)


if __name__ == "__main__":
    main()
