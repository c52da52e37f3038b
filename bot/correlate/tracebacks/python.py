"""Python: frames first, the exception last; chains, exception groups (`|`), SyntaxError (a frame without function)."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import TYPE, Language

LANGUAGE = Language(
    name="python",
    hints=('File "',),
    frame=re.compile(
        r'^[ |+-]*File "(?P<file>[^"\n]{1,500})", line (?P<line>\d{1,9})(?:, in (?P<function>[^\n]{1,200}))?$',
        re.MULTILINE,
    ),
    exceptions=(re.compile(rf"^(?: {{0,40}}\| )?{TYPE}(?:: (?P<message>[^\n]*))?$", re.MULTILINE),),
    foreign=re.compile(r"site-packages|dist-packages|/lib/python\d|^<frozen|^<string>|/\.venv/|^/usr/lib/"),
    raise_first=False,
)
