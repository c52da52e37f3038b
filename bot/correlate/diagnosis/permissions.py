"""Permissions: of the service account towards Google Cloud, and of the process towards its own files."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, SERVING_ECHOES, STARTUP_ECHOES, Hit, Rule, Scene, lines
from bot.model.judgement import Diagnosis

_PERMISSION = (
    r"(?!(?:com|org|net|io|dev|java|javax|jakarta|app|src|google)\.)[a-z][a-zA-Z]{2,40}(?:\.[a-zA-Z]{2,60}){2}"
)
_DENIED = re.compile(
    rf"Permission '?(?P<permission>{_PERMISSION})'? denied on (?:resource )?'?(?P<resource>[\w./:-]{{0,200}})"
    rf"|(?P<account>[\w-]{{1,64}}@[\w.-]{{1,80}}\.gserviceaccount\.com) does not have (?P<storage>{_PERMISSION}) access"
    rf"|(?:missing|lacks) (?:the )?(?:required )?(?:IAM )?permission[s]?:? '?(?P<missing>{_PERMISSION})"
    rf"|(?:[Pp]ermission|PERMISSION)s?:? ['\"`\[]?(?P<named>{_PERMISSION})['\"`\]]?[^\n]{{0,80}}(?:denied|required|missing|is not granted)"
    rf"|(?:denied|[Rr]equired|[Mm]issing|[Nn]ot have|lacks|without)[^\n]{{0,60}}['\"`\[ ](?P<wanted>{_PERMISSION})['\"`\]]?(?= |$|[.,;)'\"])"
    r"|[Pp]rincipal (?P<principal>[\w-]{1,64}@[\w.-]{1,80}\.gserviceaccount\.com)[^\n]{0,120}(?:denied|not have)"
    r"|[Ss]ervice account (?P<gone>[\w-]{1,64}@[\w.-]{1,80}\.gserviceaccount\.com) (?:does not exist|not found|is disabled)"
    r"|\bIAM_PERMISSION_DENIED\b|\bACCESS_TOKEN_SCOPE_INSUFFICIENT\b|insufficient authentication scopes|\bInsufficient Permission\b|User not authorized to perform this action"
    r"|\bGaxiosError: [^\n]{0,60}\b403\b|googleapi: Error 403|\bPERMISSION_DENIED\b|StatusCode\.PERMISSION_DENIED"
    r"|\bPermissionDenied: 403\b|\bstatus = StatusCode\.PERMISSION_DENIED|\bcode = PermissionDenied\b"
    r"|\bThe caller does not have permission\b|\b7 PERMISSION_DENIED\b"
)
_GOOGLE_SERVICE = re.compile(  # the first part of https://cloud.google.com/iam/docs/permissions-reference, as far as services call them
    r"(?:aiplatform|apigateway|appengine|artifactregistry|bigquery|bigtable|certificatemanager|cloudbuild|cloudfunctions|cloudkms"
    r"|cloudscheduler|cloudsql|cloudtasks|cloudtrace|compute|container|datastore|dataflow|dialogflow|dns|documentai|errorreporting"
    r"|eventarc|file|firebase\w*|healthcare|iam|identitytoolkit|logging|memcache|monitoring|privateca|pubsub|recaptchaenterprise"
    r"|redis|resourcemanager|run|secretmanager|servicenetworking|serviceusage|source|spanner|speech|storage|translate|vpcaccess|workflows)\."
)
_GOOGLE = re.compile(r"gserviceaccount|googleapi|google\.|\bIAM\b|\bgcloud\b|PERMISSION_DENIED|PermissionDenied")
_ACCOUNT = re.compile(r"[\w-]{1,64}@[\w.-]{1,80}\.gserviceaccount\.com")
_FILE = re.compile(
    r"\[Errno 13\] Permission denied: ['\"](?P<py>[^'\"\n]{1,300})['\"]|\bEACCES: permission denied, \w+ '(?P<node>[^'\n]{1,300})'"
    r"|\bopen (?P<go>/[^\s:]{1,300}): permission denied|\bjava\.nio\.file\.AccessDeniedException: (?P<java>\S{1,300})"
    r"|Access to the path '(?P<dotnet>[^'\n]{1,300})' is denied|Permission denied @ \w+ - (?P<ruby>/\S{1,300})|\"(?P<log>/[^\"\n]{1,300})\" could not be opened[^\n]{0,120}[Pp]ermission denied|[Ff]ailed to open stream: Permission denied|(?P<nginx>/[^\s\"']{1,200})\"? failed \(13: Permission denied\)"
    r"|(?P<shell>/[^\s:]{1,200}): [Pp]ermission denied$|\bEROFS: read-only file system, \w+ '(?P<erofs>[^'\n]{1,300})'|(?P<rofs>/[^\s:]{1,300}): [Rr]ead-only file system"
    r"|\[Errno 30\] Read-only file system: ['\"](?P<ro>[^'\"\n]{1,300})['\"]",
    re.MULTILINE,
)


def _is_googles(hit: Hit) -> bool:
    """A program has permissions of its own ("lacks permission orders.invoice.read"): Google's name one of its services."""
    named = hit["missing"] or hit["named"] or hit["wanted"]
    return not named or bool(_GOOGLE_SERVICE.match(named) or _GOOGLE.search(hit.text))


def _permission_denied(scene: Scene) -> Diagnosis | None:
    hits = [hit for hit in scene.all(_DENIED) if _is_googles(hit)]
    if not hits:
        return None
    hit = max(hits, key=lambda one: len(one.groups.keys() - {"resource"}))
    permission = (hit["permission"] or hit["storage"] or hit["missing"] or hit["named"] or hit["wanted"]).rstrip(".")
    account = hit["account"] or hit["principal"] or hit["gone"]
    if not account and (named := _ACCOUNT.search(hit.text)):
        account = named[0]
    who = f"`{account}`" if account else "The revision's service account"
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
        facts={name: value for name, value in {"permission": permission, "service_account": account}.items() if value},
    )


def _file_permission(scene: Scene) -> Diagnosis | None:
    hit = scene.first(_FILE)
    if hit is None:
        return None
    path = next(iter(hit.groups.values()), "a file")
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


RULES = (
    Rule("permission_denied", _permission_denied, explains=SERVING_ECHOES | {"auth_failed"}),
    Rule("file_permission", _file_permission, explains=STARTUP_ECHOES | {"command_not_found"}),
)
