"""Makes what a template prints harmless: for the JSON around it, for Slack's mrkdwn, and for the reader.

`safe` is the environment's `finalize`: every `{{ value }}` goes through it, so no template can forget. Only
`blocks.j2` and the filters here produce `Markup`, which passes unchanged.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from jinja2 import Undefined
from markupsafe import Markup

from bot.redact import redact, shorten

LONGEST = 1_500
"""Characters of one printed value; what needs to be shorter was cut by the view."""

_SAME_DAY = timedelta(hours=12)
_MRKDWN = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_BREAKS_JSON_STRING = re.compile(r"[\t ]*[\r\n\u2028\u2029]+[\t ]*")
_MANUAL = re.compile(
    r"&lt;(@[UW][A-Z0-9]{2,20}|#[CG][A-Z0-9]{2,20}|!subteam\^S[A-Z0-9]{2,20}|!date\^\d{1,11}\^[\w {}]{1,60}\|[\w :.,-]{1,60})&gt;"
)
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\))")  # colours, titles
_FENCES = re.compile("``+")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,20}")
_GROUP = re.compile(r"S[A-Z0-9]{2,20}")


def clean(text: str) -> str:
    """Without what no person can see and what can garble the rest: control, direction and unpaired characters."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_visible, _TERMINAL.sub("", text)))


def _visible(char: str) -> str:
    if char in "\n\t" or char.isprintable():
        return char
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    return "\n" if char in "\u2028\u2029" else "" if category == "Cf" or char == "\r" else "�"


def told(text: str, limit: int = LONGEST) -> str:
    """Untrusted text as it may be shown: cleaned, without secrets, at most `limit` characters."""
    return _closed(shorten(redact(clean(text)), limit))


def line(text: str, limit: int = LONGEST) -> str:
    """`told`, on one line."""
    return _closed(shorten(" ".join(redact(clean(text)).split()), limit))


def opening(text: str, limit: int) -> str:
    """`line`, with its beginning only: where the rest can be read elsewhere, a count of what was cut says nothing."""
    said = line(text)
    return said if len(said) <= limit else line(f"{said[: limit - 1].rstrip()}…")


def _closed(text: str) -> str:
    """Without backticks that would make code of what comes after: fences, and single ones without a partner."""
    text = _FENCES.sub(lambda fence: "ˋ" * len(fence[0]), text)
    return text.replace("`", "ˋ") if text.count("`") % 2 else text


def escape(text: str) -> Markup:
    """For use inside a JSON string that Slack reads as mrkdwn or plain text."""
    return Markup(json.dumps(text.translate(_MRKDWN), ensure_ascii=False)[1:-1])  # noqa: S704 - this is the escaping


def safe(value: object) -> object:
    """What Jinja prints for `{{ value }}`.

    Raises:
        TypeError: None: the template forgot to ask whether there is anything to print.
    """
    if isinstance(value, Markup | Undefined):
        return value
    if value is None:
        raise TypeError("a template prints None")
    return escape(told(str(value)))


def exact(text: str) -> Markup:
    """A filter: our own words, escaped but neither redacted nor cut (a command line must work when pasted)."""
    return escape(clean(text))


def code(text: str) -> str:
    """A filter: fit to stand between backticks: on one line, without backticks."""
    return " ".join(text.replace("`", "ˋ").split())


def fence(text: str) -> Markup:
    """A filter: fit to stand in a code block, line breaks kept."""
    return exact(text.replace("`", "ˋ"))


def mentions(text: str) -> Markup:
    """A filter: our own sentences, in which `<@U…>`, `<#C…>`, `<!subteam^S…>` and `<!date^…>` mean what they say; all else
    is escaped.
    """
    return Markup(_MANUAL.sub(r"<\1>", str(safe(text))))  # noqa: S704 - escaped, but for the four forms


def lines(text: Markup) -> Markup:
    """A filter: the body of a macro call as one JSON string: a line break per line that says something."""
    said = (part.strip() for part in _BREAKS_JSON_STRING.split(str(text)))
    return Markup("\\n".join(part for part in said if part))  # noqa: S704 - made of Markup


def spoken(text: Markup) -> Markup:
    """A filter: as `lines`, but all on one line."""
    whole: str = json.loads(f'"{lines(text)}"')
    return Markup(json.dumps(" ".join(whole.split()), ensure_ascii=False)[1:-1])  # noqa: S704 - escaped before


def href(url: str) -> Markup:
    """A filter: fit to stand in `<…|label>`.

    Raises:
        ValueError: neither http nor https.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(f"not a link: {url[:80]!r}")
    return escape("".join(clean(url).split()).replace("|", "%7C").replace("<", "%3C").replace(">", "%3E"))


def moment(at: datetime | str) -> datetime:
    """A stored time, which is text after its journey through the database, as an aware UTC datetime.

    Raises:
        ValueError: no time, or one without a zone.
    """
    value = datetime.fromisoformat(at) if isinstance(at, str) else at
    if value.tzinfo is None:
        raise ValueError(f"a time without its zone: {value}")
    return value.astimezone(UTC)


def unix(at: datetime | str) -> int:
    """A filter: whole seconds since 1970, for `<!date^…>`."""
    return int(moment(at).timestamp())


def far(at: datetime, since: datetime) -> bool:
    """A filter: so far from `since` that a time of day alone would mislead."""
    return abs(at - since) > _SAME_DAY


def utc(at: datetime | str, *, day: bool = False, seconds: bool = True) -> str:
    """A filter: `14:03:11 UTC`, or with the day `2025-11-17 14:03:11 UTC`: for readers without `<!date^…>`."""
    form = ("%Y-%m-%d " if day else "") + ("%H:%M:%S" if seconds else "%H:%M")
    return f"{moment(at):{form}} UTC"


def is_person(value: str) -> bool:
    """A test: the id of a Slack user."""
    return bool(_PERSON.fullmatch(value))


def is_group(value: str) -> bool:
    """A test: the id of a Slack user group."""
    return bool(_GROUP.fullmatch(value))


def sequence(text: Markup) -> Markup:
    """A filter: JSON values that follow each other without commas, as one JSON array; blocks that say nothing
    are left out.
    """
    decoder, source, found, at = json.JSONDecoder(), str(text).strip(), [], 0
    while at < len(source):
        value, at = decoder.raw_decode(source, at)
        found.append(value)
        at += len(source[at:]) - len(source[at:].lstrip())
    spoken = (value for value in found if _says_something(value))
    return Markup(json.dumps(list(spoken), ensure_ascii=False))  # noqa: S704 - JSON, not HTML


def _says_something(value: dict[str, object]) -> bool:
    for key in ("text", "elements"):
        if key in value:
            inner = value[key]
            return bool(inner.get("text") if isinstance(inner, dict) else inner)
    return True


FILTERS: tuple[Callable[..., object], ...] = (
    code,
    exact,
    far,
    fence,
    href,
    lines,
    mentions,
    sequence,
    spoken,
    unix,
    utc,
)
