"""Ruby: the first line holds frame, message and type; older versions print the oldest frame first; Rails its own form."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import Language

_CLASS = r"(?P<type>[A-Z]\w{0,100}(?:::[A-Z]\w{0,100}){0,10})"
_STAMP = r"(?:[A-Z], \[[^\]\n]{1,60}\][^\n]{0,80}?-- [^\n:]{0,60}: )?"

LANGUAGE = Language(
    name="ruby",
    hints=(":in `", ":in '"),
    frame=re.compile(
        r"^(?:[ \t]*(?:\d{1,5}: )?from |[ \t]+|[A-Z], [^\n]{1,140}: )?(?P<file>[^\s:`']{1,400}|<internal:[^>\n]{1,80}>):(?P<line>\d{1,9})"
        r":in [`'](?P<function>[^'\n]{1,200})'",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(rf"^[^\n]{{0,500}}:in [`'][^'\n]{{1,200}}': (?P<message>[^\n]*?) \({_CLASS}\)", re.MULTILINE),
        re.compile(rf"^{_STAMP}(?:\[[\w-]{{1,60}}\] )?{_CLASS} \((?P<message>[^\n]*)\):?[ \t]*$", re.MULTILINE),
        re.compile(rf"^{_STAMP}{_CLASS}: (?P<message>[^\n]*)$", re.MULTILINE),
        re.compile(rf"^(?P<message>[^\n]*) \({_CLASS}\)$", re.MULTILINE),
    ),
    foreign=re.compile(r"/gems/|/lib/ruby/|^<internal:|/bundler/|/rubygems/"),
    raise_first=True,
    either_order=True,
    any_name=True,
    generated=(
        (re.compile(r"^(?:block \(\d{1,3} levels\) in |block in |rescue in |ensure in )+"), ""),
        (re.compile(r"^(?:[A-Z]\w{0,100}(?:::[A-Z]\w{0,100}){0,10}|#<Class:[^>]{1,100}>)[#.]"), ""),  # since 3.4
        (re.compile(r"_{1,2}\d{6,20}(?:_\d{1,20})?$"), ""),  # compiled templates
    ),
)
