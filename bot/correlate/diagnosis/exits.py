"""The container ended: exit codes, signals, a command that is not there. Usually the echo of something it logged before."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.correlate.diagnosis.looks import is_program
from bot.correlate.diagnosis.rule import DOCS, NEVER_READY, STARTUP_ECHOES, Hit, Rule, Scene, lines
from bot.correlate.telling import goes_on
from bot.model.judgement import Diagnosis

_DOCUMENTATION = f"{DOCS}/troubleshooting#container-failed-to-start"
_EXIT = re.compile(
    r"\bContainer called exit\((?P<code>\d{1,3})\)|[Cc]ontainer[^\n]{0,60} exited with (?:code|status):? ?(?P<other>\d{1,3})|[Ee]xit (?:code|status)[: ]{1,2}(?P<status>\d{1,3})$",
    re.MULTILINE,
)
_SHELL = (
    r"(?:^|[\s\"'\]])(?:/[\w./-]{0,100}/)?(?:(?:ba|da|a|z|k)?sh|[\w.-]{1,60}\.sh|[\w.-]{0,40}entrypoint[\w.-]{0,20})"
)
_NO_COMMAND = re.compile(
    rf"{_SHELL}: (?:exec: )?(?:(?:line )?\d{{1,5}}: )?(?:exec: )?(?P<command>[\w./ -]{{1,120}}?)(?: [^\n:]{{1,160}})?: (?:command )?not found"
    rf"|{_SHELL}: (?:(?:line )?\d{{1,5}}: )?(?:exec: )?(?P<forbidden>[\w./-]{{1,120}}): [Pp]ermission denied"
    rf"|(?:{_SHELL}|\[FATAL tini[^\n]{{0,40}}|^(?:/usr/bin/)?env)[:\]] ?(?:exec )?[`'\"‘]?(?P<missing>[\w./-]{{2,120}}?)[`'\"’]?(?:: failed| failed)?: [Nn]o such file or directory"
    r"|(?P<interpreter>/[\w./-]{1,100})\S{0,3}: bad interpreter|^error Command \"(?P<yarn>[\w:.-]{1,60})\" not found|determine start command: when there is no default process"
    r"|[Mm]issing script:? [\"'`]?(?P<script>[\w:.-]{1,60})|[Nn]o such file or directory \(os error 2\): (?P<spawned>\S{1,120})"
    r"|(?:exec: |invalid reference: )\"(?P<path>[^\"\n]{1,120})\": executable file not found in \$PATH"
    r"|failed to load (?P<loaded>/[^\s:]{1,200}): [^\n]{0,120}(?:no such file or directory|permission denied)"
    r"|Application exec likely failed|[Ee]xec failed\b|no command specified"
    r"|exec (?P<execd>\.{0,2}/[^\s:]{1,200}): no such file or directory|[Aa]pplication failed to start: \"?(?P<application>[\w./ -]{1,120}?)\"?: (?:no such file|not found|not available)"
    r"|starting container process caused: exec: \"(?P<exec>[^\"\n]{1,120})\": (?:executable file not found|stat [^\n]{1,120}no such file)"
    r"|failed to (?:resolve|find) (?:binary|executable)[^\n]{0,20}?\"?(?P<binary>[\w./-]{1,120})\"?",
    re.MULTILINE,
)
_SIGKILL = 9
_LIVENESS = re.compile(r"\bLIVENESS (?:TCP|HTTP|GRPC) probe failed|failed the configured liveness probe")
RETIRED = frozenset({0, 130, 143})  # how a program ends that was asked to: no error unless it never got ready
_FAILED_TO_START = re.compile(
    r"probe failed|[Ff]ailed to start|is not ready and cannot serve traffic|failed the configured"
)
_SIGNAL = re.compile(
    r"\bUncaught signal: (?P<uncaught>\d{1,2})\b|\b[Cc]ontainer terminated on signal (?P<terminated>\d{1,2})\b"
    r"|(?:^|\d)\s{0,8}(?:Segmentation fault|Aborted|Bus error|Illegal instruction)\s{0,8}(?:\(core dumped\)|$)"
    r"|Fatal Python error: (?:Segmentation fault|Aborted|Bus error|Illegal instruction)|SIGSEGV \(0xb\)",
    re.MULTILINE,
)


class _Meaning(NamedTuple):
    says: str
    advice: str


_CODES = {
    0: _Meaning(
        "the program ended normally, but a service must go on listening",
        "Start a server, not a task; for work that ends use a Cloud Run job",
    ),
    1: _Meaning("the program gave up with an error", "Look at the last lines that it logged before the exit"),
    2: _Meaning(
        "wrong usage of a command, or a Go panic",
        "Check the command's arguments in the Dockerfile's ENTRYPOINT and CMD",
    ),
    3: _Meaning("gunicorn's workers failed to boot", "Look at the first traceback of a worker"),
    126: _Meaning(
        "the command is there but may not be executed", "Set the executable bit in the Dockerfile (`RUN chmod +x …`)"
    ),
    127: _Meaning(
        "the command does not exist in the image",
        "Check ENTRYPOINT and CMD; is the file copied, and is its shell in the image?",
    ),
    134: _Meaning("it aborted itself (SIGABRT)", "Look for an assertion or a failed allocation before the exit"),
    137: _Meaning(
        "it was killed (SIGKILL), most often for memory",
        "Look at the memory graph; raise the limit or lower the concurrency",
    ),
    139: _Meaning("it crashed in native code (SIGSEGV)", "Look for a native extension that changed with this deploy"),
    143: _Meaning("it was asked to stop (SIGTERM)", "Look for what stopped it: a failed probe, or the program itself"),
}
_SIGNALS = {4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV", 13: "SIGPIPE"}


def _no_command(scene: Scene) -> Diagnosis | None:
    hit = next((hit for hit in scene.all(_NO_COMMAND) if not goes_on(hit.line)), None)
    if hit is None:
        return None
    command = next(iter(hit.groups.values()), "").strip()
    title = f"The image has no command `{command}`" if command else "The image's command cannot be executed"
    advice = f"Correct ENTRYPOINT/CMD or copy the program into the image, or {scene.facts.revert}"
    if hit["forbidden"]:
        title = f"`{command}` may not be executed"
        advice = f"Set its executable bit in the Dockerfile (`RUN chmod +x {command}`), or {scene.facts.revert}"
    return Diagnosis(
        code="command_not_found",
        title=title,
        explanation="The container's ENTRYPOINT or CMD names a program that cannot be run: not in the image, not on its PATH, or not executable.",
        advice=advice,
        evidence=lines(hit, scene.first(_EXIT)),
        confidence=0.9,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"command": command} if command else {},
    )


def _exit_code(scene: Scene) -> Diagnosis | None:
    hits = [hit for hit in scene.all(_EXIT) if not (hit["status"] and is_program(hit.entry))]  # that was a child of its
    hits = [hit for hit in hits if _code(hit) not in RETIRED] or hits
    if not hits or (_code(hits[0]) in RETIRED and scene.first(_FAILED_TO_START) is None):
        return None
    hit, code, times = hits[0], _code(hits[0]), scene.times(hits)
    meaning = _CODES.get(
        code, _Meaning("a code of the program's own", "Look at the last lines that it logged before the exit")
    )
    return Diagnosis(
        code="exit_code",
        title=f"The container exits with code {code}: {meaning.says}",
        explanation=f"Cloud Run saw it exit {f'{times} times' if times > 1 else 'once'}; the log names no cause that is known here.",
        advice=meaning.advice,
        evidence=lines(hit),
        confidence=0.7 if code in {0, 126, 127} else 0.5,
        rollback_helps=scene.first(NEVER_READY) is None,
        documentation=_DOCUMENTATION,
        facts={"exit_code": str(code)},
    )


def _code(hit: Hit) -> int:
    return int(hit["code"] or hit["other"] or hit["status"])


def _signal(scene: Scene) -> Diagnosis | None:
    hits = [hit for hit in scene.all(_SIGNAL) if _number(hit) != 15]  # 15 is how instances are retired
    if not hits:
        return None
    number = _number(hits[0])
    if number == _SIGKILL and scene.first(_LIVENESS) is not None:
        return None  # the probe had it killed
    name = _SIGNALS.get(number, f"signal {number}")
    killed = number == 9
    return Diagnosis(
        code="signal",
        title=f"The container was {'killed' if killed else 'ended'} by {name}",
        explanation=(
            "Something outside the program killed it: most often the memory limit, or a probe that failed too often."
            if killed
            else "The program crashed below its own error handling: native code, an assertion, or a runtime that gave up."
        ),
        advice="Look at the memory graph and at the lines just before the signal"
        + ("" if killed else f", or {scene.facts.revert}"),
        evidence=lines(hits[0]),
        confidence=0.6,
        rollback_helps=None if killed else True,
        documentation=_DOCUMENTATION,
        facts={"signal": str(number)},
    )


def _number(hit: Hit) -> int:
    """Of the signal; words stand for theirs."""
    said = hit["uncaught"] or hit["terminated"]
    if said:
        return int(said)
    return next((number for number, word in _WORDS.items() if word in hit.match[0]), 11)


_WORDS = {6: "Aborted", 7: "Bus error", 4: "Illegal instruction"}
_ECHOES = frozenset(
    {"did_not_listen", "startup_probe_failed", "liveness_probe_failed", "malformed_response", "no_instance"}
)

RULES = (Rule("command_not_found", _no_command, explains=STARTUP_ECHOES | {"file_permission"}),)
LATE_RULES = (
    Rule("signal", _signal, explains=_ECHOES | {"exit_code"}),
    Rule("exit_code", _exit_code, explains=_ECHOES),
)
