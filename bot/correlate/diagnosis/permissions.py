"""Permissions: of the service account towards Google Cloud, and of the process towards its own files."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_PERMISSION = r"[a-z][a-zA-Z]{2,40}(?:\.[a-zA-Z]{2,60}){2}"
_DENIED = re.compile(
    rf"Permission '?(?P<permission>{_PERMISSION})'? denied on (?:resource )?'?(?P<resource>[\w./:-]{{0,200}})"
    rf"|(?P<account>[\w-]{{1,64}}@[\w.-]{{1,80}}\.gserviceaccount\.com) does not have (?P<storage>{_PERMISSION}) access"
    rf"|(?:missing|lacks) (?:the )?(?:required )?(?:IAM )?permission[s]?:? '?(?P<missing>{_PERMISSION})"
    r"|\bPermissionDenied: 403\b|\bstatus = StatusCode\.PERMISSION_DENIED|\bcode = PermissionDenied\b"
    r"|\bThe caller does not have permission\b|\b7 PERMISSION_DENIED\b"
)
_FILE = re.compile(
    r"\[Errno 13\] Permission denied: ['\"](?P<py>[^'\"\n]{1,300})['\"]|\bEACCES: permission denied, \w+ '(?P<node>[^'\n]{1,300})'"
    r"|\bopen (?P<go>/[^\s:]{1,300}): permission denied|\bjava\.nio\.file\.AccessDeniedException: (?P<java>\S{1,300})"
    r"|\[Errno 30\] Read-only file system: ['\"](?P<ro>[^'\"\n]{1,300})['\"]"
)


def _permission_denied(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_DENIED)
    if hit is None:
        return None
    permission = (hit["permission"] or hit["storage"] or hit["missing"]).rstrip(".")
    who = f"`{hit['account']}`" if hit["account"] else "The revision's service account"
    return Diagnosis(
        code="permission_denied",
        title=f"{who} lacks the permission `{permission}`" if permission else f"{who} lacks a permission",
        explanation="The program calls a Google API as the revision's service account, and the API refuses it.",
        advice=(
            f"Grant a role that has `{permission or 'the permission'}` on exactly that resource; if this deploy changed the "
            "service account or added the call, that is where it comes from"
        ),
        evidence=lines(hit),
        confidence=0.9 if permission else 0.75,
        rollback_helps=None,
        documentation=f"{DOCS}/securing/service-identity",
        facts={
            name: value
            for name, value in {"permission": permission, "service_account": hit["account"]}.items()
            if value
        },
    )


def _file_permission(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_FILE)
    if hit is None:
        return None
    path = hit["py"] or hit["node"] or hit["go"] or hit["java"] or hit["ro"]
    return Diagnosis(
        code="file_permission",
        title=f"The process may not use `{path}`",
        explanation="The container's user has no right to this file or directory, or it lies on a read-only file system.",
        advice="Give the file to the container's user in the Dockerfile (`COPY --chown=…`), or write to /tmp (which is memory)",
        evidence=lines(hit),
        confidence=0.9,
        rollback_helps=True,
        documentation=f"{DOCS}/container-contract#filesystem",
        facts={"path": path},
    )


_ECHOES = frozenset(
    {
        "unhandled_exception",
        "worker_boot_failure",
        "exit_code",
        "did_not_listen",
        "startup_probe_failed",
        "malformed_response",
    }
)

RULES = (
    Rule("permission_denied", _permission_denied, explains=_ECHOES),
    Rule("file_permission", _file_permission, explains=_ECHOES),
)
