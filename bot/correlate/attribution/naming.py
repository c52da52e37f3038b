"""Does a text name this service?"""

from __future__ import annotations

import re
from functools import lru_cache

_SUFFIX = re.compile(r"[-_](?:service|svc|api|server|app|backend)$")
_BEFORE = r"(?:https?://|grpc://|\b(?:to|from|of|by|calling|upstream|downstream|service|backend|callee|host|peer|target|via)\b[\s\"':=]{1,5})"
_HOST = r"(?:[a-z0-9-]+\.)*(?:run\.app|svc|internal|local)\b"
_END = rf"(?![a-z\d_]|-[a-z](?!\d)|\.(?!{_HOST})[a-z])"
_AFTER = r"(?:-[a-z0-9-]{2,40}\.(?:a\.)?run\.app|\.(?:svc|internal|local)\b|:\d{2,5}\b| (?:service|client|api|rpc|upstream|backend)\b|/v\d)"


@lru_cache(maxsize=4_096)
def stem(name: str) -> str:
    """`payments` of `payments-service`, in lower case."""
    return _SUFFIX.sub("", name.lower())


def names(text: str, service: str, speaker: str) -> bool:
    """True where the text names this service; "payments" stands for `payments-service`. Nobody names himself."""
    if service == speaker or not text:
        return False
    return _pattern(service).search(text) is not None


@lru_cache(maxsize=1_024)
def _pattern(service: str) -> re.Pattern[str]:
    """A compound name says enough by itself; a plain word ("cart") only where an address or a callee is named."""
    short = stem(service)
    name = "|".join(
        re.escape(form) for form in sorted({service, short} if len(short) >= 4 else {service}, key=len, reverse=True)
    )
    if re.search(r"[-_.\d]", service):
        whole = rf"(?<![\w-])(?:{re.escape(service)})(?![a-z\d]|-[a-z]|\.(?!{_HOST})[a-z])|{_BEFORE}(?:{name}){_END}|(?<![\w-])(?:{name}){_AFTER}"
    else:
        whole = rf"{_BEFORE}(?:{name}){_END}|(?<![\w-])(?:{name}){_AFTER}"
    return re.compile(whole, re.IGNORECASE)
