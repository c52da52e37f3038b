"""Recognises tracebacks: exception type, message and frames, and which of the frames are ours.

"Ours" is what the team wrote: not the standard library, not installed packages. The culprit is our frame nearest to
the point where the exception was raised. One file per language; language.py is what they have in common.
"""

from __future__ import annotations

from bot.correlate.tracebacks import dotnet, go, java, node, php, python, ruby, rust
from bot.correlate.tracebacks.language import Frame, Language, Traceback

__all__ = ["LANGUAGES", "Frame", "Language", "Traceback", "find_traceback", "language_of"]

LANGUAGES: tuple[Language, ...] = (
    python.LANGUAGE,
    node.LANGUAGE,
    java.LANGUAGE,
    dotnet.LANGUAGE,
    go.LANGUAGE,
    ruby.LANGUAGE,
    php.LANGUAGE,
    rust.LANGUAGE,
)
_BY_NAME = {language.name: language for language in LANGUAGES}


def find_traceback(text: str) -> Traceback | None:
    """The traceback in `text`, None when there is none. Of a chain, the root cause; of Python's, the one raised last.

    Java, .NET and Node name the root cause in a chain; Python prints the exception that ended the request last. A text
    that some logger made one line of, by escaping the line ends, is read as if it had not.
    """
    if "\n" not in text:
        if "\\n" not in text:
            return None
        text = _unfolded(text)
    for language in LANGUAGES:
        if language.may_be_in(text) and (found := language.read(text)):
            return found
    return None


def _unfolded(line: str) -> str:
    """A line with its escaped line ends, tabs and quotes as they were, without what closes the quote around it."""
    for escaped, plain in (("\\r", ""), ("\\n", "\n"), ("\\t", "\t"), ('\\"', '"'), ("\\'", "'")):
        line = line.replace(escaped, plain)
    return line.rstrip(' \n"}')


def language_of(traceback: Traceback) -> Language:
    return _BY_NAME[traceback.language]
