"""Node, with TypeScript, ES modules (`file://` URLs), async frames and `[cause]` chains."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import BEHIND_WORDS, TYPE, Language

LANGUAGE = Language(
    name="node",
    hints=("    at ", "\tat "),
    frame=re.compile(
        r"^[ \t]+at (?:async )?(?:(?P<function>[^\n(]{1,200}?) \()?"
        r"(?P<file>(?:file://|node:|webpack:///?)?[^\s():]{1,500}(?:\.[cm]?[jt]sx?|[^\s():]))"
        r":(?P<line>\d{1,9}):\d{1,9}\)?,?(?: \{)?$",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(
            rf"^(?:[ \t]*\[cause\]: )?(?:Uncaught )?{TYPE}(?: \[\w{{1,60}}\])?(?:: (?P<message>[^\n]*))?$", re.MULTILINE
        ),
        re.compile(rf"{BEHIND_WORDS}(?: \[\w{{1,60}}\])?(?:: (?P<message>[^\n]*))?$(?=\n[ \t]+at )", re.MULTILINE),
    ),
    foreign=re.compile(r"node_modules|^node:|^internal/|^<anonymous>"),
    raise_first=True,
    cause=re.compile(r"[ \t]*\[cause\]: "),
    generated=(
        (re.compile(r"^(?:async |new )+"), ""),
        (re.compile(r" \[as [^\]]{1,100}\]"), ""),
        (re.compile(r"^(?:Object|Module|Timeout|Function)\.(?=<anonymous>|_on|\.)"), ""),
        (re.compile(r"^(?:file|webpack):/+(?:[\w.-]{1,60}/)?\./"), ""),
        (re.compile(r"(?<=[.-])(?=[\w-]{0,19}[0-9A-Z])[\w-]{6,20}(?=\.[cm]?js$)"), "<*>"),  # main-BkT3x9aQ.js
    ),
)
