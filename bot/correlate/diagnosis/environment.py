"""Environment variables that the program needs and does not find, or cannot read."""

from __future__ import annotations

import re

from bot.correlate.diagnosis.known import words
from bot.correlate.diagnosis.rule import DOCS, STARTUP_ECHOES, Hit, Rule, Scene
from bot.correlate.tracebacks import find_traceback
from bot.model.judgement import Diagnosis

_VARIABLE = r"[A-Z][A-Z0-9_]{1,80}"
_COMPOUND = r"[A-Z][A-Z0-9]{1,30}_[A-Z0-9_]{2,60}"  # DATABASE_URL: shouted prose has no underscore
_BARE = r"[A-Z][A-Z0-9]{1,30}(?:_[A-Z0-9_]{1,60})?"
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
        r"\bvalidation errors? for \w*(?:Settings|Config|Env|Environment)\w*[\s\S]{0,300}?\n(?P<name>\w{2,80})\n {1,4}[Ff]ield required"
    ),
    *words(
        rf"\b(?P<name>{_COMPOUND})['\"`]? (?:not (?:set|found|defined|configured|provided)|missing|undefined|unset)\b",
        r"[Ee]nvironment variable ['\"`](?P<name>\w{2,80})['\"`] (?:is )?(?:not (?:set|found|defined)|missing|required|undefined)",
        rf"(?i:required|mandatory|missing) (?:config\w*|setting|variable|secret|parameter)s?:? ['\"`]?(?P<name>{_COMPOUND})",
        rf"(?:must be set|not (?:set|given|provided)|[Mm]issing)[^\n]{{0,120}}\b(?P<name>{_COMPOUND}) environment variable",
        rf"(?i:env(?:ironment)? var(?:iable)?s?|settings?|config(?:uration)?)(?i: (?:is |are )?(?:not set|missing|undefined|required))[^\n]{{0,40}}?(?:key|name|var|variable)[=:\"' ]{{1,4}}(?P<name>{_COMPOUND})",
        rf"[Ee]nvironment variable (?:not found|[`'\"]?(?:is )?(?:missing|not set|required))[`'\"]?[: ]{{1,3}}[`'\"]?(?P<name>{_VARIABLE})",
        rf"<frozen os>[\s\S]{{0,400}}?\bKeyError: ['\"](?P<name>{_VARIABLE})['\"]",
        rf"\bos\.py\", line \d{{1,5}}, in __getitem__[\s\S]{{0,300}}?\bKeyError: ['\"](?P<name>{_VARIABLE})['\"]",
        rf"\bKeyError: ['\"](?P<name>{_COMPOUND})['\"]",
        r"\bKeyError: \"?Config '(?P<name>\w{2,80})' is missing",
        rf"KeyError\)?:? ?\(?key not found: \"(?P<name>{_VARIABLE})\"",
        rf"key not found: \"(?P<name>{_VARIABLE})\" \(KeyError\)",
        rf"required environment variable \"(?P<name>\w{{2,80}})\" is not set|[Mm]issing required (?:value|env\w*): (?P<name>{_VARIABLE})",
        r"[Cc]onfig validation error: \"(?P<name>\w{2,80})\" is (?:required|not allowed to be empty)",
        rf"\"path\": \[\s{{0,40}}\"(?P<name>{_VARIABLE})\"\s{{0,40}}\],?\s{{0,40}}\"message\": \"(?:Required|Invalid input: expected \w{{1,20}}, received undefined)",
        rf"\"received\": \"undefined\"[\s\S]{{0,120}}?\"path\": \[\s{{0,40}}\"(?P<name>{_VARIABLE})\"",
        rf"(?:[Ii]nvalid|[Mm]issing|[Rr]equired) environment variables[\s\S]{{0,120}}?\b(?P<name>{_VARIABLE})\W{{1,6}}(?:\[\s{{0,20}})?['\"]?(?:[Rr]equired|undefined|is missing|\n|$)",
        rf"(?i:missing (?:required )?(?:env(?:ironment)?|config(?:uration)?)[\w ]{{0,20}})[:=]? ?[\[\-\s'\"`]{{0,6}}(?P<name>{_BARE})\b",
        rf"not present in the environment:\s{{1,10}}(?P<name>{_VARIABLE})",
        r"[Pp]laceholder '(?P<name>[\w.-]{2,100})'|No (?:value|configuration)[^\n]{0,40} for (?:required )?(?:key|property|setting)[: ]{1,2}['\"]?(?P<name>[\w.:-]{2,100})",
        rf"\b(?P<name>{_VARIABLE})['\"`]? (?:setting )?must not be empty",
        rf"\b(?P<name>{_COMPOUND})['\"`]?(?: environment variable)? (?:is|was) (?:missing|empty|not provided|not configured|undefined)",
        rf"(?:Expected|Please (?:set|provide|define)|You must (?:set|provide|define)|[Pp]rovide|[Dd]efine|[Ss]et|requires?|needs?)(?: an?| the| your)?(?: env(?:ironment)? var(?:iable)?)? [`'\"]?(?P<name>{_COMPOUND})[`'\"]?(?: (?:env|to be set|to be defined|environment|in (?:the|your) env)|$|[.!])",
        rf"\b(?P<name>secretOrPrivateKey) must have a value|\b(?P<name>supabase(?:Url|Key)) is required|process\.env\.(?P<name>{_VARIABLE})[^\n]{{0,60}}(?:undefined|not set|missing|required)",
        r"[Tt]he config property (?P<name>[\w.-]{2,100}) is required but it could not be found",
        r"Failed to configure a DataSource: '(?P<name>url)' attribute is not specified|Neither (?P<name>apiKey) nor config\.authenticator provided",
        rf"(?P<name>{_COMPOUND})['\"]? (?:n?or ['\"]?{_COMPOUND}['\"]? )?must be set",
        r"[Mm]issing `?(?P<name>secret_key_base)`? for|(?P<name>ConnectionString) property has not been initialized",
        r"Value cannot be null\. \(Parameter '(?P<name>[\w:]{0,60}(?:[Cc]onnection|[Kk]ey|[Ss]ecret|[Uu]rl|[Uu]ri)\w{0,20})'\)",
    ),
)
_INVALID: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"\bvalidation errors? for \w*(?:Settings|Config)\w*[\s\S]{0,300}?\n(?P<name>\w{2,80})\n {2}(?P<why>(?:Input|Value)[^\n]{1,200})"
    ),
    *words(
        r"(?P<why>invalid literal for int\(\)) with base 10: '(?P<name>\$\{?PORT\}?)'",
        r"'(?P<name>\$\{?PORT\}?)' is not a valid (?P<why>port number|integer)",
        r"Invalid value for '(?:-p |--)?[\w' /-]{0,30}port'?: '(?P<name>\$\{?PORT\}?)' (?P<why>[^\n]{1,100})",
        r"\b(?P<name>[Pp]ort) (?P<why>could not be cast to integer[^\n]{0,60}|out of range[^\n]{0,40})",
        rf"\b(?:os\.environ|os\.getenv|getenv|env)\b[^\n]{{0,60}}?['\"](?P<name>{_VARIABLE})['\"][\s\S]{{0,400}}?\bValueError: (?P<why>invalid literal|could not convert)[^\n]{{0,100}}",
        r"Failed to bind properties under '(?P<name>[\w.-]{2,100})'(?P<why>[^\n]{0,100})",
        r"(?P<why>Could not parse (?:rfc1738|SQLAlchemy) URL|Expected string or URL object|the URL must start with the protocol|Redis URL must specify|Invalid (?:database|connection) (?:url|string|URI)|invalid dsn|cannot parse [`'\"]?(?:dsn|connection|postgres|mysql))(?P<more>[^\n]{0,120})",
        r"ERR_SOCKET_BAD_PORT[^\n]{0,20}(?P<why>[^\n]{0,120})|options\.port should be (?P<why>[^\n]{0,100})",
        r"ERR_INVALID_URL(?P<why>[^\n]{0,60})",
        r"[Cc]onfig validation error: \"(?P<name>\w{2,80})\" (?P<why>(?:must|length|contains|with value)[^\n]{1,120})",
        rf"(?:parse|parsing|converting|assign\w*) (?:error )?(?:on |of )?(?:field |env(?:ironment)? var(?:iable)? )?[`'\"]?(?P<name>{_VARIABLE})[`'\"]?[^\n]{{0,40}}(?P<why>(?:invalid|syntax|cannot|of type|fail)[^\n]{{0,120}})",
        rf"[Ii]nvalid environment variables[\s\S]{{0,120}}?\b(?P<name>{_VARIABLE})\W{{1,6}}(?:\[\s{{0,20}})?['\"]?(?P<why>(?:Invalid|Expected|must)[^\n'\"]{{0,100}})",
        rf"[Ee]nvironment variable [\"'`]?(?P<name>{_VARIABLE})[\"'`]? (?:is )?(?P<why>invalid[^\n]{{0,100}}|has an? invalid[^\n]{{0,100}}|must be[^\n]{{0,100}}|is not a valid[^\n]{{0,100}})",
        rf"\b(?P<name>{_COMPOUND})[\"'`]? (?P<why>(?:must be (?:a|an|one of|between|at least|in)|is not a valid|should be (?:a|an|one of)|has an? (?:invalid|illegal))[^\n]{{1,100}})",
    ),
    re.compile(
        rf"(?i:invalid (?:value for )?(?:env(?:ironment)? variable )?)(?P<name>{_VARIABLE})\b(?! header)[:=]? ?(?P<why>[^\n]{{0,200}})"
    ),
)
_LARAVEL = re.compile(r"No application encryption key has been specified|\bMissingAppKeyException\b")
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
        "GET",
        "POST",
        "PUT",
        "DELETE",
        "PATCH",
        "NOT",
        "FOUND",
        "EOF",
        "UTC",
    }
)
_FALLS_BACK = re.compile(
    r"(?i)\busing (?:the )?default|\bdefaulting\b|\bfall(?:s|ing)? ?back\b|\b(?:is|are) (?:off|disabled|optional)\b|\b(?:disabling|skipping|ignoring)\b"
)
_OF_SETTINGS = re.compile(
    r"(?i)env(?:iron|ironment)?\b|\benv[ _-]?var|process\.env|os\.environ|\bsettings?\b|\bconfig|ImproperlyConfigured|placeholder|UndefinedValueError"
    r"|validation errors? for|Parameter '|<frozen os>|\$\{?PORT|secret_key_base|\brequired key\b|[Bb]ind properties|DataSource|apiKey nor|URL from string"
)
_NAMES_SETTING = re.compile(
    r"(?i)(?:^|_)(?:URL|URI|DSN|KEY|SECRET|TOKEN|HOST|PORT|PASSWORD|PASS|PWD|USER|USERNAME|DATABASE|DB|ENDPOINT|BUCKET|PROJECT|REGION|TOPIC|QUEUE"
    r"|CREDENTIALS|CERT|SALT|ENV|ISSUER|AUDIENCE|DOMAIN|WEBHOOK|CLIENT|TENANT|REDIS|POSTGRES|MYSQL|MONGO|SMTP|JWT|AUTH|OAUTH|AWS|GCP|GOOGLE|STRIPE|SENTRY|API)(?:_|$)"
    r"|[Ss]ecret|[Uu]rl$|[Kk]ey$|[Cc]onnection"
)
_CAMEL = re.compile(r"[a-z][A-Z]")
_DOCUMENTATION = f"{DOCS}/configuring/services/environment-variables"
_ECHOES = STARTUP_ECHOES | {
    "auth_failed",
    "database_auth",
    "database_unreachable",
    "redis_unreachable",
    "upstream_unreachable",
}


def _first(scene: Scene, patterns: tuple[re.Pattern[str], ...]) -> Hit | None:
    hits = (hit for pattern in patterns for hit in scene.all(pattern, across=True))
    return next((hit for hit in hits if _is_demand(hit) and _is_setting(scene, hit)), None)


def _is_demand(hit: Hit) -> bool:
    """Whether the line insists; one that names a default goes on without the variable."""
    return (
        hit["name"] not in _NOT_A_VARIABLE
        and not _FALLS_BACK.search(hit.line)
        and not _FALLS_BACK.search(hit.last_line)
    )


def _is_setting(scene: Scene, hit: Hit) -> bool:
    """Whether it speaks of the program's settings: "ORDER_ID is required" may be what a caller is told.

    It does where it says so, where the name is that of a setting, or where the program does not come up.
    """
    if not hit["name"] or _OF_SETTINGS.search(hit.match[0]) or _OF_SETTINGS.search(hit.line):
        return True
    if "KeyError" in hit.match[0] and (found := find_traceback(hit.text)) and found.frames[-1].ours:
        return found.frames[-1].function == "<module>" or scene.fails_to_start  # else a look-up in some dictionary
    return bool(_NAMES_SETTING.search(hit["name"])) or scene.fails_to_start


def _missing_env(scene: Scene) -> Diagnosis | None:
    hit = _first(scene, _MISSING)
    if hit is None:
        return _missing_app_key(scene) or _missing_from_template(scene)
    name = _variable(hit["name"])
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
        evidence=tuple(line for line in (hit.last_line, *_named_in_pydantic(hit)) if line),
        confidence=0.95,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"variable": name},
    )


def _missing_app_key(scene: Scene) -> Diagnosis | None:
    """Laravel wants APP_KEY without naming it."""
    hit = scene.first(_LARAVEL)
    if hit is None:
        return None
    return Diagnosis(
        code="missing_env",
        title="Environment variable `APP_KEY` is missing",
        explanation="Laravel does not run without the key that it encrypts sessions with, which it reads from `APP_KEY`.",
        advice=f"{_set_it(scene, 'APP_KEY')}; `php artisan key:generate --show` makes one",
        evidence=(hit.line,),
        confidence=0.95,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"variable": "APP_KEY"},
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
    if hit["name"].startswith("$"):
        return _not_expanded(hit)
    name = _variable(hit["name"])
    return Diagnosis(
        code="invalid_env",
        title=f"Environment variable `{name}` has a value that the program does not accept"
        if name
        else "A setting has a value that the program does not accept",
        explanation=f"The program reads {f'`{name}`' if name else 'it'} at start and refuses its value: {_why(hit)}.",
        advice=_set_it(scene, name or "NAME"),
        evidence=(hit.last_line,),
        confidence=0.85,
        rollback_helps=True,
        documentation=_DOCUMENTATION,
        facts={"variable": name} if name else {},
    )


def _not_expanded(hit: Hit) -> Diagnosis:
    """CMD in exec form hands the program the five characters $PORT."""
    return Diagnosis(
        code="invalid_env",
        title="`$PORT` reaches the program as these five characters: nothing expanded the variable",
        explanation="CMD or ENTRYPOINT in exec form (a JSON list) runs without a shell, and only a shell replaces $PORT by its value.",
        advice='Let a shell expand it: `CMD exec gunicorn --bind :$PORT app:app` (shell form), or `["sh", "-c", "exec … $PORT"]`',
        evidence=(hit.last_line,),
        confidence=0.95,
        rollback_helps=True,
        documentation="https://docs.docker.com/reference/dockerfile/#shell-and-exec-form",
        facts={"variable": "PORT"},
    )


def _variable(name: str) -> str:
    """As the environment spells it; a property such as `app.jwt.secret` stays as the framework spells it."""
    return name if "." in name or not name.isascii() or _CAMEL.search(name) else name.upper()


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
    Rule("missing_env", _missing_env, explains=_ECHOES | {"invalid_env"}, alone=False),
    Rule("invalid_env", _invalid_env, explains=_ECHOES, alone=False),
)
