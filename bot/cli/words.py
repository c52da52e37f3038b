"""How the command line speaks: errors in red on stderr, everything else plainly on stdout.

Nothing that it is given is read as markup: it may quote what somebody typed.
"""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

MENDABLE = 2
"""Exit code when whoever typed the command can mend it; 1 is for what may work later."""


def say(text: str | Text) -> None:
    Console(highlight=False).print(text, soft_wrap=True, markup=False)


def complain(text: str) -> None:
    """An error, as one message."""
    Console(stderr=True, highlight=False).print(Text.assemble(("Error: ", "bold red"), text), soft_wrap=True)
