"""Environment variables that the program needs and does not find, or cannot read."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.rule import DOCS, Hit, Rule, Scene
from bot.model.judgement import Diagnosis

_VARIABLE = r"[A-Z][A-Z0-9_]{1,80}"
_MISSING: tuple[re.Pattern[str], ...] = (
    re.compile(rf"\bos\.(?:environ|getenv)\b[\s\S]{{0,2000}}?\bKeyError: ['\"](?P<name>{_VARIABLE})['\"]"),
    re.compile(
        rf"(?i:(?:missing|required|undefined|unset|no)\s(?:\w{{1,20}}\s)?env(?:ironment)?[ _-]?var(?:iable)?s?\b[:\s]{{0,3}}(?:not set: )?)['\"`]?(?P<name>{_VARIABLE})\b"
    ),
    re.compile(
        rf"(?i:env(?:ironment)?[ _-]?var(?:iable)?s?:? )['\"`]?(?P<name>{_VARIABLE})['\"`]?(?i: (?:is |are |was |must be )?(?:not |un)?(?:set|defined|missing|required|found|provided|empty)\b)"
    ),
    re.compile(
        rf"['\"`]?\b(?P<name>{_VARIABLE})['\"`]?(?i: (?:env(?:ironment)? )?(?:variable )?(?:is |must be |was )(?:not )?(?:set|defined|missing|required|undefined)\b)"
    ),
    re.compile(rf"\bImproperlyConfigured: Set the (?P<name>{_VARIABLE}) environment variable"),
    re.compile(rf"\bUndefinedValueError: (?P<name>{_VARIABLE}) not found"),
    re.compile(rf"\brequired key (?P<name>{_VARIABLE}) missing value"),
    re.compile(rf"\bCould not resolve placeholder '(?P<name>{_VARIABLE})' in value"),
    re.compile(
        r"\bvalidation errors? for \w*(?:Settings|Config)\w*[\s\S]{0,300}?\n(?P<name>\w{2,80})\n {2}Field required"
    ),
)
_INVALID: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"\bvalidation errors? for \w*(?:Settings|Config)\w*[\s\S]{0,300}?\n(?P<name>\w{2,80})\n {2}(?P<why>(?:Input|Value)[^\n]{1,200})"
    ),
    re.compile(
        rf"(?i:invalid (?:value for )?(?:env(?:ironment)? variable )?)(?P<name>{_VARIABLE})\b[:=]? ?(?P<why>[^\n]{{0,200}})"
    ),
)
# names that messages shout without being variables of the service
_NOT_A_VARIABLE = frozenset(
    {
        "ERROR",
        "FATAL",
        "CRITICAL",
        "WARNING",
        "INFO",
        "DEBUG",
        "SSL",
        "TLS",
        "HTTP",
        "HTTPS",
        "URL",
        "API",
        "ID",
        "JSON",
        "SQL",
        "NULL",
        "IP",
    }
)
_FALLS_BACK = re.compile(
    r"(?i)\busing (?:the )?default|\bdefaulting\b|\bfall(?:s|ing)? ?back\b|\b(?:is|are) (?:off|disabled|optional)\b|\b(?:disabling|skipping|ignoring)\b"
)
_DOCUMENTATION = f"{DOCS}/configuring/services/environment-variables"
_ECHOES = frozenset(
    {
        "worker_boot_failure",
        "exit_code",
        "did_not_listen",
        "startup_probe_failed",
        "malformed_response",
        "no_instance",
        "unhandled_exception",
    }
)


def _first(scene: Scene, patterns: tuple[re.Pattern[str], ...]) -> Hit | None:
    hits = (hit for pattern in patterns for hit in scene.all(pattern))
    return next((hit for hit in hits if hit["name"] not in _NOT_A_VARIABLE and not _FALLS_BACK.search(hit.line)), None)


def _missing_env(scene: Scene) -> Diagnosis | None:
    hit = _first(scene, _MISSING)
    if hit is None:
        return _missing_from_template(scene)
    name = hit["name"].upper()
    is_set = name in scene.facts.env_names
    how = (
        "is set on the revision, but empty or in a form the program does not accept"
        if is_set
        else "is not set on the revision"
    )
    return Diagnosis(
        code="missing_env",
        title=f"Environment variable `{name}` is {'unusable' if is_set else 'missing'}",
        explanation=f"The program refuses to run without `{name}`, which {how if scene.facts.env_names else 'it does not find'}.",
        advice=_set_it(scene, name),
        evidence=(hit.last_line, *_named_in_pydantic(hit)),
        confidence=0.95,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"variable": name},
    )


def _named_in_pydantic(hit: Hit) -> tuple[str, ...]:
    """Pydantic puts the variable on a line of its own, above "Field required"."""
    return (hit["name"],) if "validation error" in hit.match[0] else ()


def _missing_from_template(scene: Scene) -> Diagnosis | None:
    """Nothing in the log names a variable, but the catalog requires one that the revision does not set."""
    facts = scene.facts
    absent = [
        name for name in facts.required_env if name not in facts.env_names and name != "PORT"
    ]  # Cloud Run sets PORT
    if not (absent and facts.env_names and facts.ready is False):
        return None
    names = ", ".join(f"`{name}`" for name in absent)
    return Diagnosis(
        code="missing_env",
        title=f"The revision does not set {names}",
        explanation="The catalog says that the service needs it; the log does not prove that its absence is the cause.",
        advice=_set_it(scene, absent[0]),
        evidence=tuple(facts.condition_messages[:1]),
        confidence=0.5,
        rollback_helps=None,
        documentation=_DOCUMENTATION,
        facts={"variable": absent[0]},
    )


def _invalid_env(scene: Scene) -> Diagnosis | None:
    hit = _first(scene, _INVALID)
    if hit is None:
        return None
    name = hit["name"].upper()
    return Diagnosis(
        code="invalid_env",
        title=f"Environment variable `{name}` has a value that the program does not accept",
        explanation=f"The program reads `{name}` at start and refuses its value: {_why(hit)}.",
        advice=_set_it(scene, name),
        evidence=(hit.last_line,),
        confidence=0.85,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"variable": name},
    )


def _why(hit: Hit) -> str:
    """The reason without the value itself, which pydantic repeats in brackets and which may be a secret."""
    return hit["why"].partition(" [type=")[0].strip() or "no reason given"


def _set_it(scene: Scene, name: str) -> str:
    service = scene.service
    return (
        f"Set it: `gcloud run services update {service} --update-env-vars {name}=…`, or from Secret Manager: "
        f"`--update-secrets {name}=SECRET:VERSION`"
    )


RULES = (
    Rule("missing_env", _missing_env, explains=_ECHOES | {"invalid_env"}),
    Rule("invalid_env", _invalid_env, explains=_ECHOES),
)
