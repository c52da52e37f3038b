"""Limits other than memory: Google Cloud's quotas, disabled APIs, the disk, open files."""

from __future__ import annotations

from bot.correlate.diagnosis.known import Known, known, words
from bot.correlate.diagnosis.rule import DOCS, SERVING_ECHOES, STARTUP_ECHOES

_QUOTA = Known(
    says=words(
        r"Quota exceeded for quota (?:metric|group) '(?P<quota>[^'\n]{1,100})'[^\n]{0,200}",
        r"Quota exceeded for (?P<quota>(?:total )?[\w ./-]{3,100}?)(?: per (?:project|region)[\w ]{0,40})?(?:[.:,]|$)",
        r"[Qq]uota ['\"`]?(?P<quota>[\w./-]{3,100})['\"`]? (?:was |has been |is )?exceeded",
        r"exceeded (?:your |the |its )?(?:current )?[\w ]{0,40}quota|Quota limit [^\n]{0,80}exceeded|[Qq]uota[^\n]{0,40}(?:exceeded|exhausted)|\b(?:quotaExceeded|rateLimitExceeded|userRateLimitExceeded|dailyLimitExceeded|insufficient_quota|QUOTA_EXCEEDED|RATE_LIMIT_EXCEEDED)\b",
        r"RESOURCE_EXHAUSTED|ResourceExhausted|code = ResourceExhausted|ZONE_RESOURCE_POOL_EXHAUSTED",
        r"[Mm]ax(?:imum)?[ _-]instances[^\n]{0,120}(?:quota|exceeds?|allowed|greater than)|[Mm]ax instances must be set to \d+ or fewer|total allowable (?:CPU|memory|count of instances)",
    ),
    title="Quota exhausted: {quota}",
    bare="A quota of Google Cloud (or of another provider) is exhausted",
    explanation="The project used up a quota: calls or deploys beyond it are refused (429, RESOURCE_EXHAUSTED) until it refills or is raised.",
    advice=(
        "Console → IAM & Admin → Quotas: find the one that is full, ask for more, or use less (cache, batch, fewer instances); "
        "retry with growing pauses. Did this deploy add calls?"
    ),
    rollback_helps=False,
    documentation=f"{DOCS.removesuffix('/docs')}/quotas",
)
_API = Known(
    says=words(
        r"(?P<api>[A-Z][\w ().-]{2,60}?(?: API)?) has not been used in project \S{1,64} before or it is disabled",
        r"API \[?(?P<api>[\w.-]{3,80}\.googleapis\.com)\]? not enabled|(?P<api>[\w.-]{3,80}\.googleapis\.com)[^\n]{0,80}(?:is not enabled|is disabled)",
        r"\bSERVICE_DISABLED\b|\baccessNotConfigured\b",
    ),
    title="{api} is not enabled in the project",
    bare="An API that the program calls is not enabled in the project",
    explanation="Google refuses every call to an API that the project has not enabled, whatever the permissions are.",
    advice="`gcloud services enable SERVICE.googleapis.com` ({api}), wait a few minutes, and try again",
    rollback_helps=None,
    documentation="https://cloud.google.com/endpoints/docs/openapi/enable-api",
)
_DISK = Known(
    says=words(
        r"No space left on device:? ['\"](?P<path>/[^'\"\n]{1,200})['\"]",
        r"(?:write|open|mkdir|create|copy)[a-z]* (?P<path>/[^\s:]{1,200}): no space left on device",
        r"[Nn]o space left on device|\bENOSPC\b|There is not enough space on the disk|\bDisk quota exceeded\b|\bEDQUOT\b|DiskFull|database or disk is full|could not (?:extend file|write)[^\n]{0,100}No space|disk full|not enough disk space",
    ),
    title="The disk is full at `{path}`",
    bare="The disk is full: no space left on device",
    explanation="The container's file system, /tmp included, lives in memory: what is written there counts against the memory limit, or a volume reached its size.",
    advice=(
        "Delete what you wrote to /tmp, stream instead of buffering, or mount a Cloud Storage or larger in-memory volume; "
        "`gcloud run services update {service} --memory …` gains time"
    ),
    rollback_helps=False,
    documentation=f"{DOCS}/configuring/services/in-memory-volume-mounts",
)
_FILES = Known(
    says=words(
        r"[Tt]oo many open files|\bEMFILE\b|\bENFILE\b|\bUV_EMFILE\b",
        r"can't start new thread|unable to create (?:new )?native thread|Resource temporarily unavailable[^\n]{0,40}(?:fork|thread|pthread)|failed to create new OS thread|\bEAGAIN\b[^\n]{0,40}(?:spawn|fork)",
        r"Cannot assign requested address|EADDRNOTAVAIL",
    ),
    title="The container ran out of open files, sockets or threads",
    bare="The container ran out of open files, sockets or threads",
    explanation="Files or connections are opened and not closed, a pool has no bound, or one instance serves more requests than it can.",
    advice="Close what you open (reuse HTTP clients and sessions), bound the pools, lower `--concurrency` (`gcloud run services update {service} --concurrency N`); if it began with this deploy, {revert}",
    rollback_helps=None,
    documentation=f"{DOCS}/about-concurrency",
    confidence=0.85,
)

RULES = (
    known("disk_full", _DISK, explains=SERVING_ECHOES),
    known("too_many_open_files", _FILES, explains=SERVING_ECHOES | {"dns_failure", "signal"}),
    known("api_disabled", _API, explains=SERVING_ECHOES | {"permission_denied", "cloud_sql_socket"}),
    known(
        "quota_exceeded",
        _QUOTA,
        explains=STARTUP_ECHOES | {"upstream_rate_limited", "upstream_error", "permission_denied"},
    ),
)
