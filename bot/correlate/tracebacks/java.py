"""Java, Kotlin, Scala: `Caused by:` names the root, `Suppressed:` does not; `... 12 more` hides frames told before."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import BEHIND_WORDS, TYPE, Language

LANGUAGE = Language(
    name="java",
    hints=("\tat ", "   at "),
    frame=re.compile(
        r"^(?:\t| {1,8})at (?:[\w.@-]{0,100}/{1,2}){0,2}(?P<function>[\w$.<>/-]{1,300})"
        r"\((?P<file>[\w$.-]{1,200}\.(?:java|kts?|scala|groovy|cljc?)|Unknown Source|Native Method|<generated>)"
        r"(?::(?P<line>\d{1,9}))?\)",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(
            rf'^(?:Exception in thread "[^"\n]{{0,100}}" )?(?:Caused by: )?{TYPE}(?:: (?P<message>[^\n]*))?$',
            re.MULTILINE,
        ),
        re.compile(rf"{BEHIND_WORDS}(?:: (?P<message>[^\n]*))?$(?=\n[ \t]+at )", re.MULTILINE),
        re.compile(rf"(?<=[ :]){TYPE}: (?P<message>[^\n]*)$", re.MULTILINE),  # behind a logger's own words
    ),
    foreign=re.compile(
        r" (?:java|javax|jakarta|jdk|sun|kotlin|kotlinx|scala|groovy|org\.(?:springframework|apache|hibernate|eclipse|jboss"
        r"|postgresql|slf4j|junit)|com\.(?:google|zaxxer|fasterxml|sun|mysql|mongodb|netflix)"
        r"|io\.(?:netty|grpc|micronaut|quarkus|undertow|ktor|lettuce|vertx|opentelemetry)|reactor|okhttp\d?|retrofit\d?"
        r"|redis\.clients)\."
    ),
    raise_first=True,
    cause=re.compile(r"Caused by: "),
    ends=re.compile(r"^(?:Caused by: |[ \t]+Suppressed: )", re.MULTILINE),
    generated=(
        (re.compile(r"\$\$Lambda(?:[$/]+[\w.]{1,40}?)*(?=\.[a-z]\w*$|$)"), "$$Lambda"),
        (re.compile(r"\$\$(?:\w{1,40}CGLIB\w{0,20}|FastClass\w{0,40}|EnhancerBy\w{0,40})(?:\$\$[\da-f]{1,16})?"), ""),
        (re.compile(r"lambda\$(\w{1,100}?)\$\d{1,5}"), r"lambda$\1"),
        (re.compile(r"(\$Proxy|Accessor|access\$|\$)\d{1,6}\b"), r"\1"),
        (re.compile(r"_jsp\d{0,6}"), "_jsp"),
    ),
)
