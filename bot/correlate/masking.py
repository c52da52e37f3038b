"""What two log lines have in common: `template` takes out what changes from one occurrence to the next.

    template("order 4711 of u1@acme.example failed after 12 ms")  → "order <*> of <*> failed after <*>"

Works on the *shape* of a text: every digit written as 0. Lines that differ in digits only are one shape, so a
dictionary of shapes (bot.correlate.fingerprints) answers most of a burst, and this module sees each shape once. Nothing
here may depend on which digit it was, or that dictionary would answer differently from a fresh process.

One pass: split at white space, look each token up, mask the unknown ones. Patterns run on single unusual tokens, and on
the whole line only where quotes span tokens or the words beside tell what a word is.
"""

from __future__ import annotations

import re

GONE = "<*>"

MAX_TEMPLATE = 2_000
_MAX_TOKENS = 16_384
_MAX_TOKEN = 64  # longer ones are masked each time: a memory of long tokens would be large, and they rarely repeat

# Digits become 0; two control characters that serve as markers below become spaces.
_SHAPE = bytes(32 if byte in {1, 2} else 48 if 48 <= byte <= 57 else byte for byte in range(256))

_MONTH = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
# Who speaks and about whom, told by the words beside: the host in front of syslog's tag (RFC 3164), for some clusters
# once more in front of the time; the user in a log of authentications. These look at lines of masked tokens.
_PRIORITY = re.compile(rf"\A\s*<0+>(?=(?:{_MONTH})\s)")
_SYSLOG_HOST = re.compile(
    r"\A((?:\S+ ){0,2}?)(<\*> (?:<\*> )?\S+ )?(\x02\w{3} <\*> <\*>) [^\s:]+(?= [^\s:\[]+(?:\[<\*>\])?:(?: |$))"
)
_WHOM = re.compile(
    r"\b(session (?:opened|closed) for user(?= \S+(?:$| by ))|(?:[Ii]nvalid|[Ii]llegal) user(?= \S+ (?:from |\[))"
    r"|(?:[Aa]ccepted|[Ff]ailed) (?:password|publickey|none|hostbased) for(?= \S+ from )) [^\s<]\S*"
)

_ANSI = re.compile(r"\x1b\[[0;]{0,16}[A-Za-z]")
_KEY = re.compile(r"([{,]\s?)[\"'](\w{1,60})[\"']\s?:")  # the keys of an object are words of its author
QUOTED = re.compile(
    r"(?<![\w>])[bBuUrR]?(?:\"(?:[^\"\\\n]|\\.){0,500}\"|'(?:[^'\\\n]|\\.){0,500}'|`[^`\n]{0,500}`)(?!\w)"
)
_ESCAPED_QUOTE = re.compile(r"\\000[^\\\n]{0,500}\\000(?!0)|\\\"[^\\\"\n]{0,500}\\\"")  # \042alt0\042
_LIST = re.compile(r"<\*>(?:,? ?<\*>){2,}|<\*>(?:, ?<\*>)+")
_LEADING = re.compile(r"<\*>(?: <\*>)+")
_WITH_UNIT = re.compile(r"<\*>([)\]]?) \x01\w+")
_MONTH_DAY = re.compile(r"(?:\x02\w+,? )*\x02\w+,? <\*>")

_URL = re.compile(r"[A-Za-z][A-Za-z0+.-]{1,19}://[^\s\"'<>`)\]},]+")
_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]+@(?:[\w-]{1,63}\.)+[A-Za-z]{2,24}\b")
_OBJECT_ID = re.compile(r"(?<=@)[0a-f]{4,16}\b")
_PATH = re.compile(r"(?<![\w./>-])(?:[A-Za-z]:)?(?:[\\/][\w.@+~%=$-]{1,255}){2,}[\\/]?")
_FILE = re.compile(
    r"(?<![\w./>@-])[\w.@~-]{1,255}(?:[\\/][\w.@+~%=-]{1,255})*[\\/][\w@+~%=-]{1,255}\.(?:"
    r"[cm]?[jt]sx?|py|go|java|kt|scala|rb|php|cs|rs|json|ya?ml|xml|toml|ini|conf|cfg|env|log|txt|csv|sql|db|sqlite0?"
    r"|html?|css|sh|gz|tgz|zip|tar|jar|war|so|dll|pem|key|crt|png|jpe?g|gif|pdf|parquet|tmp|lock)(?![\w+])"
)
_UUID = re.compile(r"(?<![0A-Za-z])[0a-fA-F]{8}-(?:[0a-fA-F]{4}-){3}[0a-fA-F]{12}(?![0A-Za-z])")
_MAC_OR_IP6 = re.compile(
    r"(?<![\w:.])(?:[0a-fA-F]{0,4}:){2,15}[0a-fA-F]{0,4}(?:(?:\.0{1,3}){3}|\.0)?(?:%\w+)?(?![\w:])"
)
_REVISION = re.compile(r"(?<=-)0{5}-[a-z0]{3}\b")  # auth-service-00283-qab
_POD = re.compile(r"(?<=[a-z0]-)(?=[a-z]*0)[a-z0]{8,10}-[a-z0]{5}\b")  # auth-7d9f8b6c5d-x2x9z
_JWT = re.compile(r"eyJ[\w-]{5,}(?:\.[\w-]+){1,2}")
# Whom or where it happened to, not what happened: such values change though they are words.
OWNER_KEYS = (
    r"r?user(?:[_-]?(?:name|id))?|login|logname|account|email|rhost|hostname|ip|client|peer|addr(?:ess)?"
    r"|sess(?:ion)?(?:[_-]?id)?|sid|token|trace(?:[_-]?id)?|span(?:[_-]?id)?|request[_-]?id|req[_-]?id|pod|node|instance"
    r"|container"
)
KEPT_OWNERS = "root|admin|guest|test|nobody|anonymous|system|none|null"
_OWNER = re.compile(rf"\b((?:{OWNER_KEYS})=)(?!(?:{KEPT_OWNERS})\b)[^\s,;&)\]}}<]+", re.IGNORECASE)
_NODE_ID = re.compile(  # R02-M1-N0-C:J12-U11: where in a machine
    r"(?<![\w<>-])[A-Z]{1,2}0+(?:[-:][A-Z]{1,2}(?:0+[A-F]?|[A-F])?){1,8}[-:][A-Z]{1,2}0+(?![\w-])"
)
_NUMBERED = re.compile(r"(?<=[A-Za-z])(?:_0+){2,}(?:_[a-z](?:_0+)+)?(?![^\W_])")  # attempt_1445_0020_m_000001_0
_COMPONENT = re.compile(  # of an Android package: com.acme.shop/.view.ShopActivity
    r"(?<![\w.])[a-z]\w{0,60}(?:\.\w{1,60}){1,12}/(?:[a-z]\w{0,60})?(?:\.\w{1,60}){0,12}\.[A-Z]\w{0,100}"
)
_ASSEMBLY = re.compile(  # of Windows: Package_for_KB1~31bf3856ad364e35~amd64~~6.1
    r"(?<![\w.-])[\w.-]{1,200}(?:~[\w.-]{0,100}){3,8}"
)
_PACKAGE = re.compile(r"(?<==)(?:com|org|net|io|edu|cn)(?:\.[a-z_]\w*)+(?![\w.])")
METHOD = re.compile(r"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE)\b")  # of a request line in quotes
_RUN = re.compile(
    r"(?:(?<![^\s=,:(\[{_<|/])[-+])?(?P<run>[^\W_]+)(?P<more>(?<=0)(?:[.,:/+-]0+)+(?:[eE][+-]?0+)?(?P<unit>[a-zA-Zµ]{0,5})(?![^\W_]))?%?"
)
_ISO_TIME = re.compile(r"0{4}-00-00[T_]00:?00(?::?00(?:[.,]0{1,9})?)?(?:Z|[+-]00:?00)?(?!\w)")
_CLF_TIME = re.compile(rf"(?<!\w)0{{1,2}}[/-](?:{_MONTH})[a-z]*[/-]0{{2,4}}(?::00){{0,3}}")

SURE_KINDS = {
    "number": r"[-+]?[0-9]+(?:[.,:/x-][0-9]+)*+(?:[num]s|s|[KMGT]?i?B|%)?",
    "time": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T_][0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:[.,][0-9]{1,9})?(?:Z|[+-][0-9]{2}:?[0-9]{2})?",
    "uuid": r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}",
    "prefixed": r"0x[0-9a-f]+",
    "hex": r"(?=[a-f]*[0-9])[0-9a-f]{7,128}",
    "address": r"(?=[a-f:]*[0-9])[0-9a-f]{0,4}(?::[0-9a-f]{0,4}){2,7}",
    "path": r"(?:[\\/][\w.@+~%=$-]{1,255}){2,}[\\/]?",
    "email": r"[\w.%+-]+@(?:[\w-]{1,63}\.)+[A-Za-z]{2,24}",
    "url": r"[A-Za-z][A-Za-z0-9+.-]{1,19}://[^\s\"'<>`)\]},]+",
}
"""Parts that are gone whatever stands in them, as patterns of both a text and its shape. Tried in this order."""

SURE = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in SURE_KINDS.items()))
_OPENING, _CLOSING = "([{<#", ")]}>,;.!?"

_GROUPS = re.compile(r"0+|[^0]+")
_WORDLIKE = re.compile(r"(?:[A-Z]{0,8}[a-z]{2,})+|[A-Z]{4,}")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")

_UNITS_APART = frozenset({
    "ns", "us", "µs", "ms", "s", "sec", "secs", "second", "seconds", "min", "mins", "minute", "minutes", "hr", "hrs", "hour", "hours", "day", "days",
    "byte", "bytes", "B", "kb", "kB", "KB", "mb", "MB", "gb", "GB", "tb", "TB", "KiB", "MiB", "GiB", "TiB",
})  # fmt: skip
_UNITS_BEHIND = frozenset({"m", "h", "d", "b", "k", "K", "M", "G", "T", "x", "th", "st", "nd", "rd", "Ki", "Mi", "Gi"})  # fmt: skip
_UNITS = _UNITS_APART | _UNITS_BEHIND
_CALENDAR = frozenset({*_MONTH.split("|"), "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"})
_HEX = frozenset("abcdefABCDEF")


def shape_of(text: str) -> bytes:
    """The text in UTF-8 with every ASCII digit as 0; equal shapes have equal templates. Any text is accepted."""
    return text.encode("utf-8", "surrogatepass").translate(_SHAPE)


def mask(text: str) -> str:
    """`text` on one line with every changing part replaced by `<*>`; masking twice is masking once.

    Masked: numbers with their units, timestamps, UUIDs, hexadecimal, identifiers mixed of letters and digits, URLs,
    e-mails, IP addresses, paths, quoted values, revision and pod suffixes, and what stands after `user=`, `host=` and
    the like. Other words are kept.
    """
    for _ in range(_MAX_PASSES):
        masked = template(shape_of(text))
        if masked == text:
            break
        text = masked
    return text


_MAX_PASSES = 8  # masking one part may complete another; see the property test


def template(shape: bytes) -> str:
    """The masked message of a shape, on one line, so that wrapping and indentation do not count; "" for blank."""
    text = _without_quotes(shape.decode("utf-8", "surrogatepass"))
    masked = " ".join(map(_TOKENS.__getitem__, text.split()))
    if "\x01" in masked:
        masked = _WITH_UNIT.sub(r"<*>\1", masked).replace("\x01", "")
    if " user " in masked or " for " in masked:
        masked = _WHOM.sub(rf"\1 {GONE}", masked)
    if "\x02" in masked:
        masked = _SYSLOG_HOST.sub(rf"\1{GONE} \3 {GONE}", masked, count=1)
        masked = _MONTH_DAY.sub(GONE, masked).replace("\x02", "")
    if masked.startswith("<*> <*>"):
        masked = _LEADING.sub(GONE, masked, count=1)  # date, time and zone, in one token or in three
    if "<*>, <*>" in masked or "<*> <*> <*>" in masked or "<*>,<*>" in masked:
        masked = _LIST.sub(GONE, masked)
    return masked[:MAX_TEMPLATE]


def _without_quotes(text: str) -> str:
    """The text without what may hold spaces, or is said about the line itself: quoted values, colours, priority."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "<" in text:
        text = _PRIORITY.sub("", text, count=1)
    if "\\" in text:
        text = _ESCAPED_QUOTE.sub(GONE, text)
    if '"' in text or "'" in text or "`" in text:
        if "{" in text:
            text = _KEY.sub(r"\1\2:", text)
        text = QUOTED.sub(_masked_quote, text)
    return text


class _Tokens(dict[str, str]):
    """Token → masked token, for the tokens seen lately. Forgets all when full: what is common is back at once."""

    def __missing__(self, token: str) -> str:
        masked = masked_token(token)
        if len(token) <= _MAX_TOKEN:
            if len(self) >= _MAX_TOKENS:
                self.clear()
            self[token] = masked
        return masked


_TOKENS = _Tokens()


def split_sure(token: str) -> tuple[str, str, str]:
    """What opens a token, its core, what closes it: `(12),` → "(", "12", "),"."""
    rest = token.lstrip(_OPENING)
    if rest[:1] == "/" and rest.count("/") == 1:  # Java prints addresses as /10.0.0.1:8080
        rest = rest[1:]
    core = rest.rstrip(_CLOSING)
    if core[-1:] == ":" and core[-2:] != "::":  # an IPv6 address may end in two
        core = core[:-1].rstrip(_CLOSING)
    return token[: len(token) - len(rest)], core, rest[len(core) :]


def masked_token(token: str) -> str:
    """A token of a shape, masked by itself; a unit or month in it still carries its mark."""
    if token.isalpha():
        return _masked_word(token)
    before, core, after = split_sure(token)
    if SURE.fullmatch(core):
        return f"{before}{GONE}{after}"
    if not token.isalnum():
        token = _without_values(token)
    if "0" in token:
        token = _RUN.sub(_masked_run, token)
    bare = token.lstrip("([").rstrip(",.;:)]")
    return token.replace(bare, _masked_word(bare)) if bare.isalpha() else token


def _without_values(token: str) -> str:
    """A token without what its punctuation gives away: addresses, paths, times, identifiers, whose it is."""
    if "://" in token:
        token = _URL.sub(GONE, token)
    if "@" in token:
        token = _OBJECT_ID.sub(GONE, _EMAIL.sub(GONE, token))
    if "0" in token and ("/" in token or "-" in token):
        token = _ISO_TIME.sub(GONE, _CLF_TIME.sub(GONE, token))
    if "/" in token or "\\" in token:
        token = _FILE.sub(GONE, _PATH.sub(GONE, _COMPONENT.sub(GONE, token)))
    if "-" in token:
        token = _NODE_ID.sub(GONE, token)
        token = _POD.sub(GONE, _REVISION.sub(GONE, _UUID.sub(GONE, token)))
    if "~" in token:
        token = _ASSEMBLY.sub(GONE, token)
    if "_0" in token:
        token = _NUMBERED.sub(f"_{GONE}", token)
    if "eyJ" in token:
        token = _JWT.sub(GONE, token)
    if token.count(":") >= 2:
        token = _MAC_OR_IP6.sub(_masked_address, token)
    return _PACKAGE.sub(GONE, _OWNER.sub(r"\1<*>", token)) if "=" in token else token


def _masked_quote(match: re.Match[str]) -> str:
    """A quoted value is gone, quotes included (repr() chooses them by content); a request line keeps its method."""
    method = METHOD.match(match[0].lstrip("bBuUrR")[1:])
    return f"{method[0]} {GONE}" if method else GONE


def _masked_word(word: str) -> str:
    """A word of letters: kept, marked where a unit or a month may turn out to belong to the number beside it."""
    if word in _UNITS_APART:
        return f"\x01{word}"
    if word in _CALENDAR:
        return f"\x02{word}"
    return GONE if len(word) >= 8 and _HEX.issuperset(word) else word


def _masked_address(match: re.Match[str]) -> str:
    """An IPv6 or hardware address, unless it is `a::b` (C++) or `10:5:3` (left to the numbers)."""
    text = match[0]
    if text.strip(":") and "0" not in text and len(text) < 9:
        return text
    return GONE if text.strip("0:.") or "::" in text else text


def _masked_run(match: re.Match[str]) -> str:
    """`42`, `12.5ms` → `<*>`; `utf8` → `utf<*>`; `a1b2c3d`, `x7Qp0r2` → `<*>`; `OAuth2Client` → `OAuth<*>Client`."""
    run, unit = match["run"], match["unit"]
    if "0" not in run:
        return match[0]
    rest = unit if unit and unit not in _UNITS and not _HEX.issuperset(unit) else ""
    groups = _GROUPS.findall(run)
    letters = "".join(group for group in groups if group[0] != "0")
    if not letters:
        return f"{GONE}{rest}"
    if groups[0][0] == "0" and (letters in _UNITS or _HEX.issuperset(letters) or run[1:2] in {"x", "X"}):
        return f"{GONE}{rest}"
    if _HEX.issuperset(letters) and (len(run) >= 6 or len(groups) > 2):
        return f"{GONE}{rest}"
    if len(groups) > 2 and not _is_name(run, groups):
        return f"{GONE}{rest}"
    sign = match[0][: match.start("run") - match.start()]
    return sign + "".join(GONE if group[0] == "0" else group for group in groups) + rest


def _is_name(run: str, groups: list[str]) -> bool:
    """Whether letters and digits make a name (`Base64Decoder`, `k8s`) rather than an identifier (`x7Qp0r2`)."""
    numbers = [group for group in groups if group[0] == "0"]
    if len(numbers) > 2 or len(run) > 60 or max(map(len, numbers)) > 3:
        return False
    longest = max((group for group in groups if group[0] != "0"), key=len)
    word = len(longest) >= 4 and _WORDLIKE.fullmatch(longest) and _VOWEL.search(longest)
    return bool(word) or (len(run) <= 4 and len(numbers) == 1)
