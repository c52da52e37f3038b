"""`python -m bot` = `reliability`: settings in, exit code out."""

from __future__ import annotations

import sys

from bot.cli import app
from bot.errors import ReliabilityError

_WRONG = 2  # as for a misspelt option


def main() -> None:
    """Run the command line. What goes wrong on purpose is one clear message, anything else a traceback."""
    try:
        app(prog_name="reliability")
    except ReliabilityError as error:
        _complain(str(error))
        sys.exit(_WRONG)


def _complain(text: str) -> None:
    from rich.console import Console
    from rich.text import Text

    message = Text.assemble(("error: ", "bold red"), (text, "red"))
    Console(stderr=True, soft_wrap=True, highlight=False).print(message)


if __name__ == "__main__":
    main()
