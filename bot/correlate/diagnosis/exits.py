"""The container ended: exit codes, signals, a command that is not there. Usually the echo of something it logged before."""

from __future__ import annotations

import re
from typing import NamedTuple

from bot.correlate.diagnosis.rule import DOCS, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_DOCUMENTATION = f"{DOCS}/troubleshooting#container-failed-to-start"
_EXIT = re.compile(r"\bContainer called exit\((?P<code>\d{1,3})\)")
_NO_COMMAND = re.compile(
    r"(?:exec|sh|bash|line \d+)[^\n]{0,80}?: (?P<command>[\w./ -]{1,120}?): (?:command )?not found"
    r"|starting container process caused: exec: \"(?P<exec>[^\"\n]{1,120})\": (?:executable file not found|stat [^\n]{1,120}no such file)"
    r"|failed to (?:resolve|find) (?:binary|executable)[^\n]{0,20}?\"?(?P<binary>[\w./-]{1,120})\"?"
)
_SIGNAL = re.compile(
    r"\bUncaught signal: (?P<uncaught>\d{1,2})\b|\bContainer terminated on signal (?P<terminated>\d{1,2})\b"
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
    hit = scene.first(_NO_COMMAND)
    if hit is None:
        return None
    command = (hit["command"] or hit["exec"] or hit["binary"]).strip()
    return Diagnosis(
        code="command_not_found",
        title=f"The image has no command `{command}`",
        explanation="The container's ENTRYPOINT or CMD names a program that is not in the image or not on its PATH.",
        advice=f"Correct ENTRYPOINT/CMD or copy the program into the image, or {scene.facts.revert}",
        evidence=lines(hit, scene.first(_EXIT)),
        confidence=0.9,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"command": command},
    )


def _exit_code(scene: Scene) -> Diagnosis | None:
    hits = list(scene.all(_EXIT))
    if not hits:
        return None
    hit, code, times = hits[0], int(hits[0]["code"]), scene.times(hits)
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
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"exit_code": str(code)},
    )


def _signal(scene: Scene) -> Diagnosis | None:
    hits = [
        hit for hit in scene.all(_SIGNAL) if (hit["uncaught"] or hit["terminated"]) != "15"
    ]  # 15 is how instances are retired
    if not hits:
        return None
    number = int(hits[0]["uncaught"] or hits[0]["terminated"])
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


_ECHOES = frozenset(
    {"did_not_listen", "startup_probe_failed", "liveness_probe_failed", "malformed_response", "no_instance"}
)

RULES = (Rule("command_not_found", _no_command, explains=_ECHOES | {"exit_code"}),)
LATE_RULES = (
    Rule("signal", _signal, explains=_ECHOES | {"exit_code"}),
    Rule("exit_code", _exit_code, explains=_ECHOES),
)
