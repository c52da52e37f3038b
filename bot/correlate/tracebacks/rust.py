"""Rust: what a panic says, and the stack below it where RUST_BACKTRACE asks for one."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import Language

_THREAD = r"^[^\n]{0,80}?\bthread '[^'\n]{0,100}' (?:\(\d{1,10}\) )?"

LANGUAGE = Language(
    name="rust",
    hints=(" panicked at ",),
    frame=re.compile(
        rf"(?:{_THREAD}panicked at (?:'[^\n]{{0,500}}', )?|^ {{1,8}}\d{{1,4}}: (?P<function>[^\n]{{1,300}})\n\s{{1,40}}at )"
        r"(?P<file>[^\s:']{1,300}\.rs):(?P<line>\d{1,9})(?::\d{1,9})?",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(
            rf"{_THREAD}(?P<type>panic)ked at [^\s:']{{1,300}}\.rs:[\d:]{{1,20}}\n(?P<message>[^\n]*)", re.MULTILINE
        ),
        re.compile(
            rf"{_THREAD}(?P<type>panic)ked at '(?P<message>[^\n]{{0,1000}})', [^\s:']{{1,300}}\.rs:\d", re.MULTILINE
        ),
    ),
    foreign=re.compile(
        r"/rustc/|/\.cargo/|/library/(?:std|core|alloc)/|^library/| (?:core|std|alloc|tokio)::|rust_begin_unwind"
    ),
    raise_first=True,
    any_name=True,
    generated=((re.compile(r"::h[0-9a-f]{16}$"), ""), (re.compile(r"\{\{closure\}\}"), "closure")),
)
