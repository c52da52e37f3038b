"""PHP: `Uncaught Type: message in file:line` with numbered frames; Monolog's `[object] (Type(code: 0): …)`."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import Language

_CLASS = r"(?P<type>\\?[A-Z_]\w{0,100}(?:\\\w{1,100}){0,12})"
_PLACE = r"(?P<file>/[^\s:]{1,400}|[A-Z]:\\[^\s:]{1,400}):(?P<line>\d{1,9})"

LANGUAGE = Language(
    name="php",
    hints=("#0 ",),
    frame=re.compile(
        r"^#\d{1,4} (?:(?P<file>[^\n(]{1,400})\((?P<line>\d{1,9})\)|\[internal function\]): (?P<function>[^\n(]{1,300})",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(rf"Uncaught {_CLASS}(?:: (?P<message>[^\n]*?))? in {_PLACE}$", re.MULTILINE),
        re.compile(rf"\[object\] \({_CLASS}\(code: [^)\n]{{1,40}}\): (?P<message>[^\n]*?) at {_PLACE}", re.MULTILINE),
        re.compile(rf"^(?:Next )?{_CLASS}(?:: (?P<message>[^\n]*?))? in {_PLACE}$", re.MULTILINE),
        re.compile(
            rf"^(?:\[[^\]\n]{{1,40}}\] )?(?:[\w.]{{1,40}}: )?{_CLASS}: (?P<message>[^\n]*)(?P<file>)(?P<line>)$",
            re.MULTILINE,
        ),
    ),
    foreign=re.compile(r"/vendor/|^ |/usr/share/php/|/usr/local/lib/php/"),
    raise_first=True,
    any_name=True,
    ends=re.compile(r"^Next ", re.MULTILINE),
    generated=(
        (re.compile(r"\{closure:[^}\n]{1,300}\}"), "{closure}"),
        (re.compile(r"class@anonymous[^\n]{0,400}?(?=->|::|$)"), "class@anonymous"),
        (re.compile(r"(?:\w{1,100}\\)+\{closure\}"), "{closure}"),
    ),
)
