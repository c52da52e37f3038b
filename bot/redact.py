"""Takes secrets out of untrusted text and keeps the part that tells what went wrong.

    redact(text)           secrets become `[redacted:<kind>]`; modules, ports, paths and table names stay
    shorten(text, limit)   head and tail of a long text, and how much was cut between them

Rules are data: one line each in `RULES`, applied in order until nothing changes any more, so that redacting twice
is the same as redacting once. Every pattern is linear in the length of the text: a repeated part is either bounded,
possessive, or can start only at the beginning of a run; a 100 kB line costs milliseconds whatever is in it.

What it cannot do: recognise a secret that has neither a known shape nor a name beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

_MAX_PASSES = 4  # one placeholder may uncover another rule's match; in practice the second pass changes nothing


@dataclass(frozen=True)
class Rule:
    """One kind of secret.

    Attributes:
        kind: the word in `[redacted:<kind>]`.
        hints: lower-case fragments; a text with none of them is not searched (() = always searched).
        replace: a template for `re.sub` or a function of the match.
    """

    kind: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    replace: str | Callable[[re.Match[str]], str]


def redact(text: str) -> str:
    """`text` without secrets; idempotent; "" stays ""."""
    for _ in range(_MAX_PASSES):
        before = text
        lowered = text.lower()
        for rule in RULES:
            if not rule.hints or any(hint in lowered for hint in rule.hints):
                text = rule.pattern.sub(rule.replace, text)
        if text == before:
            break
    return text


def shorten(text: str, limit: int) -> str:
    """`text` in at most `limit` characters: its head (two thirds) and tail around "… (N characters cut) …".

    The tail stays because the last line of a traceback names the error. Redact before you shorten: a secret cut
    in half is not recognised any more.

    Raises:
        ValueError: limit < 1.
    """
    if limit < 1:
        raise ValueError(f"limit must be at least 1, not {limit}")
    if len(text) <= limit:
        return text
    longest_marker = f"… ({len(text):,} characters cut) …"
    room = limit - len(longest_marker)
    if room < 20:  # too little for a head and a tail that say anything
        return text[: limit - 1] + "…"
    tail = room // 3
    head = room - tail
    return f"{text[:head]}… ({len(text) - head - tail:,} characters cut) …{text[-tail:]}"


# --- what some rules decide after the match -----------------------------------------------------------------------

_SAYS_NOTHING = frozenset(
    {"true", "false", "none", "null", "nil", "undefined", "required", "missing", "invalid", "expired"}
)
_BEGINS_A_SENTENCE = frozenset(  # after "secret: ", where people and libraries go on to say what is wrong with it
    {
        *("not", "no", "is", "was", "the", "a", "an", "field", "cannot", "could", "failed", "unable", "permission"),
        *("access", "signature", "malformed", "revoked", "rejected", "refused", "denied", "unknown", "unset", "empty"),
        *("disabled", "unauthorized", "forbidden", "identifier"),
    }
)
_ABOUT_IT = re.compile(  # `token_count=5`, `secret_name: x`: a fact about a secret, not the secret
    r"s?[_-]?(?:name|type|kind|count|used|usage|limit|length|ttl|age|exp\w*|issue\w*|url|uri|endpoint|path|file|version"
    r"|algorithm|alg|status|error|valid\w*|required|missing|reset|policy|manager"
    r"|[\w-]{0,20}(?:exception|error|failed|failure|not_?found))s?",
    re.IGNORECASE,
)
_COMPLAINT = re.compile(
    r"(?:invalid|unexpected|missing|expired|unknown|bad|wrong|malformed|unsupported)[ _-]?$", re.IGNORECASE
)
_COMPLAINT_CHARS = 16
_ALONE = ("secret", "secrets", "token", "tokens", "credential", "credentials")
_ENDS_A_CLAUSE = re.compile(r"[ \t]{0,8}(?:$|[\r\n,;&|)}\]\"'\\])")
_SECRET_CHARS = 6


def _assignment(match: re.Match[str]) -> str:
    """`password=hunter2` → `password=[redacted:password]`; prose such as "Unexpected token: <" stays."""
    key, rest, between, value = match["key"], match["rest"], match["between"], match["value"]
    quote = next((mark for mark in ('\\"', '"', "'") if value.startswith(mark)), "")
    closed = bool(quote) and len(value) > len(quote) and value.endswith(quote)
    bare = value[len(quote) : -len(quote)] if closed else value[len(quote) :]
    is_password = key.lower().startswith(("pass", "pwd"))
    keep = (
        not bare
        or bare.startswith(("[redacted:", "projects/", "<", "${", "$("))
        or bare.lower() in _SAYS_NOTHING
        or bool(_ABOUT_IT.fullmatch(rest))
        or (not is_password and _is_prose(match, bare, quoted=bool(quote)))
    )
    if keep:
        return match[0]
    kind = "password" if is_password else "secret" if "secret" in key.lower() else "token"
    return f"{key}{rest}{between}{quote}[redacted:{kind}]{quote if closed else ''}"


def _is_prose(match: re.Match[str], value: str, *, quoted: bool) -> bool:
    """After "token: " a plain word that a sentence goes on from, or a small number, is no token.

    A compound name (`jwt_secret`, `access_token`, `private_key`) is a setting's, and a setting has a value.
    """
    if value.isdecimal() and len(value) <= 6:
        return True
    between = match["between"]
    looks_random = any(c.isdigit() for c in value) or len(value) >= 16
    if quoted or looks_random or between == ":" or not between.rstrip(" \t").endswith(":"):
        return False
    if value.lower().rstrip(".:") in _BEGINS_A_SENTENCE:
        return True
    text, start = match.string, match.start()
    if _COMPLAINT.search(text[max(0, start - _COMPLAINT_CHARS) : start]):
        return True
    is_compound = (match["key"] + match["rest"]).lower() not in _ALONE or bool(
        re.match(r"[\w-]", text[start - 1 : start])
    )
    is_alone = len(value) >= _SECRET_CHARS and _ENDS_A_CLAUSE.match(text, match.end()) is not None
    return not is_compound and not is_alone


def _passes_luhn(digits: str) -> bool:
    """Checksum of payment cards. Source: ISO/IEC 7812-1, annex B."""
    doubled = [int(d) * 2 if i % 2 else int(d) for i, d in enumerate(reversed(digits))]
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _card(match: re.Match[str]) -> str:
    digits = re.sub(r"[ -]", "", match[0])
    return "[redacted:card]" if _passes_luhn(digits) else match[0]


def _email(match: re.Match[str]) -> str:
    """d…@acme.example. A service account stays: it names who lacks the permission, and is no person."""
    if match["domain"].lower().endswith(".gserviceaccount.com"):
        return match[0]
    return f"{match['initial']}…@{match['domain']}"


# --- the rules, in order: whole blocks, then headers, then known shapes, then names with a value beside them ---------

_QUOTED = r'"(?:[^"\\\r\n]|\\.){1,4096}+"' + r"|'(?:[^'\\\r\n]|\\.){1,4096}+'" + r'|\\"[^"\r\n]{1,4096}?\\"'
_BARE = r"""(?:\\?["'])?[^\s"'\\,;&<>(){}\[\]][^\s"'\\,;&<>(){}]{0,4096}+"""


def _rule(kind: str, hints: str, pattern: str, replace: str | Callable[[re.Match[str]], str] | None = None) -> Rule:
    """A rule from its parts; `hints` separated by spaces; without `replace` the whole match is replaced."""
    return Rule(kind, tuple(hints.split()), re.compile(pattern), replace or f"[redacted:{kind}]")


RULES: tuple[Rule, ...] = (
    _rule(
        "private-key",
        "private",
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)",
    ),
    # one line of a PEM block that was logged line by line; 64 hexadecimal digits alone are a digest and stay
    _rule("key-material", "", r"(?m)^(?![0-9a-f]{64}$)[A-Za-z0-9+/]{64}$"),
    _rule(
        "credentials",
        "authorization",
        r"(?i)\b(?P<head>(?:proxy-)?authorization\\?[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\?[\"']?)"
        r"(?P<scheme>(?:bearer|basic|digest|negotiate|token|apikey)[ \t]{1,3})?+(?!\[redacted:)[^\s\"'\\,;]++",
        r"\g<head>\g<scheme>[redacted:credentials]",
    ),
    _rule(
        "cookie",
        "cookie",
        r"(?i)\b(?P<head>(?:set-)?cookie\\?[\"']?[ \t]{0,3}[:=][ \t]{0,3}\\?[\"']?)(?=[^\s=;\"']{1,64}=)[^\r\n\"'\\]++",
        r"\g<head>[redacted:cookie]",
    ),
    _rule(
        "token",
        "bearer",
        r"(?i)\b(bearer[ \t]{1,3})(?=[^\s\d]*+\d|\S{20})[A-Za-z0-9._~+/=-]{8,}+",
        r"\1[redacted:token]",
    ),
    _rule("jwt", "eyj", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{5,}+\.[A-Za-z0-9_-]{5,}+(?:\.[A-Za-z0-9_-]*+)?"),
    _rule("google-api-key", "aiza", r"(?<![A-Za-z0-9_-])AIza[A-Za-z0-9_-]{35}"),
    _rule("google-token", "ya29. gocspx-", r"(?<![A-Za-z0-9_-])(?:ya29\.|GOCSPX-)[A-Za-z0-9._-]{10,}+"),
    _rule("slack-token", "xox xapp-", r"(?<![A-Za-z0-9])(?:xox[a-z]-|xapp-)[A-Za-z0-9-]{8,}+"),
    _rule(
        "slack-webhook",
        "hooks.slack.com",
        r"(hooks\.slack\.com/[a-z]{1,20}/)(?!\[)[A-Za-z0-9/_-]++",
        r"\1[redacted:slack-webhook]",
    ),
    _rule("aws-key", "akia asia", r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"),
    _rule("github-token", "gh github_pat_", r"(?<![A-Za-z0-9])(?:gh[pousr]_|github_pat_)[A-Za-z0-9_]{16,}+"),
    _rule(
        "api-key",
        "glpat- sk- sk_ rk_ npm_ hf_",
        r"(?<![A-Za-z0-9])(?:glpat-|sk-|[sr]k_live_|[sr]k_test_|npm_|hf_)[A-Za-z0-9_-]{16,}+",
    ),
    _rule("api-key", "sg.", r"(?<![A-Za-z0-9.])SG\.[A-Za-z0-9_-]{8,}+(?:\.[A-Za-z0-9_-]++)?"),
    _rule("api-key", "whsec_", r"(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=_-]{8,}+"),
    # a signed URL is a key to what it points at
    _rule(
        "signature",
        "sig",
        r"(?i)((?:\bx-(?:goog|amz)-signature|(?:(?<=[?&])|(?<=u0026))sig(?:nature)?)=)(?!\[redacted:)[^\s&\"'<>\\]++",
        r"\1[redacted:signature]",
    ),
    _rule(
        "password",
        "://",
        r"(?P<head>://[^\s/@:\"'<>\[\]]{0,200}+:)(?!\[redacted:)[^\s@\"'<>]{1,256}@(?=[\w\[.%-])",
        r"\g<head>[redacted:password]@",
    ),
    _rule("token", "://", r"(://)[A-Za-z0-9_-]{20,200}+@", r"\1[redacted:token]@"),
    _rule(
        "secret",
        "pass pwd secret token key credential",
        r"(?i)(?P<key>password|passwd|passphrase|pwd|(?<=[_-])pass(?![A-Za-z0-9_-])|secret|token"
        r"|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|encryption[_-]?key|credentials?)(?P<rest>[A-Za-z0-9_-]{0,24})"
        r"(?P<between>\\?[\"']?[ \t]{0,3}(?:=>|:=|[:=])[ \t]{0,3})"
        rf"(?P<value>{_QUOTED}|{_BARE})",
        _assignment,
    ),
    _rule(
        "secret",
        "--",
        r"(?i)(--[a-z-]{0,30}(?:password|passwd|secret|token|api-key)[ \t]{1,3})(?!--|\[redacted:)[^\s\"']++",
        r"\1[redacted:secret]",
    ),
    # pydantic repeats what it was given, which for a setting may well be the secret itself
    _rule(
        "value", "input_value=", r"(input_value=)(?:'[^'\r\n]{1,4096}+'|\"[^\"\r\n]{1,4096}+\")", r"\1[redacted:value]"
    ),
    _rule(
        "password",
        "identified",
        r"(?i)(identified[ \t]{1,3}by[ \t]{1,3}')(?!\[redacted:)[^'\r\n]{1,256}'",
        r"\1[redacted:password]'",
    ),
    _rule(
        "card",
        "",
        r"(?<![\w.-])(?:4\d{3}|5[1-5]\d\d|2[2-7]\d\d|6011|65\d\d|3[47]\d\d)(?:[ -]?\d){9,12}(?![\w-])(?!\.\d)",
        _card,
    ),
    _rule(
        "email",
        "@",
        r"(?<![A-Za-z0-9._%+…-])(?<!://)(?P<initial>[A-Za-z0-9_])[A-Za-z0-9._%+-]*+@"
        r"(?P<domain>(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24})(?![\w@-])",
        _email,
    ),
)
