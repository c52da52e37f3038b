"""Go: `panic:`, `fatal error:`, a panic that net/http caught, and the stacks that pkg/errors prints with `%+v`."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import Language

LANGUAGE = Language(
    name="go",
    hints=(".go:",),
    frame=re.compile(
        r"^(?P<function>[\w./~-]{1,200}(?:\(\*?[\w.]{1,80}(?:\[\.\.\.\])?\)(?=\.))?[\w.·-]{0,100}(?:\[\.\.\.\])?)(?:\([^\n]{0,300}\))?\r?\n"
        r"[ \t]+(?P<file>[^\s:]{1,500}\.(?:go|s)):(?P<line>\d{1,9})",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(r"^(?P<type>panic|fatal error): (?P<message>[^\n]*)$", re.MULTILINE),
        re.compile(
            r"(?<=[\s:=\"'])(?P<type>panic|fatal error): (?P<message>[^\n]*)$(?=\s{1,4}goroutine )", re.MULTILINE
        ),
        re.compile(r"http: (?P<type>panic) serving [^\n]{1,60}?\d: (?P<message>[^\n]*)$", re.MULTILINE),
        re.compile(r"^(?P<type>SIG[A-Z]{2,6}): (?P<message>[^\n]*)$", re.MULTILINE),
        # pkg/errors says the message and then the stack, with no word for what it is
        re.compile(
            r"^(?P<message>[^\s][^\n]{0,1000})\n(?=[\w./~-]{1,200}[^\n]{0,200}\n[ \t]+[^\s:]{1,500}\.go:\d)(?P<type>)",
            re.MULTILINE,
        ),
    ),
    foreign=re.compile(r"/usr/local/go/|/go/pkg/mod/|/vendor/|^runtime/| runtime\.| net/http\.|/libexec/src/|/goroot/"),
    raise_first=True,
    ends=re.compile(r"^\s*\ngoroutine \d{1,12} \[(?!running)", re.MULTILINE),
    any_name=True,
    generated=(
        (re.compile(r"\.func\d{1,4}(?:\.\d{1,4})*"), ".func"),
        (re.compile(r"\.gowrap\d{1,4}"), ".gowrap"),
        (re.compile(r"\[\.\.\.\]"), ""),
    ),
)
