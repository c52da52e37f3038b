"""C#, F#: `--->` names an inner exception, whose frames come first, up to `--- End of inner exception`."""

from __future__ import annotations

import re

from bot.correlate.tracebacks.language import BEHIND_WORDS, TYPE, Language

LANGUAGE = Language(
    name="dotnet",
    hints=("   at ",),
    frame=re.compile(
        r"^[ \t]+at (?P<function>[A-Za-z_<][^\n(]{1,400}?)\([^\n]{0,600}?\)"
        r"(?: in (?P<file>[^\n]{1,500}?):line (?P<line>\d{1,9}))?\r?$",
        re.MULTILINE,
    ),
    exceptions=(
        re.compile(
            rf"^(?:[ \t]*---> )?(?:\(Inner Exception #\d{{1,4}}\) )?(?:Unhandled [Ee]xception[.:] )?{TYPE}(?: \([\w ]{{1,60}}\))?"
            r"(?:: (?P<message>[^\n]*))?$",
            re.MULTILINE,
        ),
        re.compile(rf"(?<=---> ){TYPE}: (?P<message>[^\n]*)$", re.MULTILINE),
        re.compile(rf"{BEHIND_WORDS}(?:: (?P<message>[^\n]*))?$(?=\n[ \t]+at )", re.MULTILINE),
    ),
    foreign=re.compile(
        r"^[^ ]* ?(?:System|Microsoft|Npgsql|MySql|MySqlConnector|Grpc|Newtonsoft|Serilog|StackExchange|MediatR|Polly|Dapper"
        r"|AutoMapper|Azure|Google|Confluent|RabbitMQ|MongoDB|Autofac|FluentValidation)\.|lambda_method"
    ),
    raise_first=True,
    cause=re.compile(r"[ \t]*---> "),
    ends=re.compile(r"^[ \t]*--- End of inner exception", re.MULTILINE),
    generated=(
        (re.compile(r"[.+]?<>c(?:__DisplayClass\d{1,6}_\d{1,6})?(?=[.+<])"), ""),
        (re.compile(r"<(\w{1,200})>[bdg]__[\w|]{1,60}"), r"\1"),
        (re.compile(r"\.MoveNext$"), ""),
        (re.compile(r"`\d{1,3}|\[[\w,. ]{1,200}\]$"), ""),
        (re.compile(r"lambda_method\d{0,6}"), "lambda_method"),
    ),
)
