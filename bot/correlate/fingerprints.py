"""What two log lines have in common: `mask` takes out what changes from one occurrence to the next.

    mask("order 4711 of u1@acme.example failed after 12 ms")  → "order <num> of <email> failed after <num> ms"
    fingerprint(text)                                         → "v1:6f0c…", equal for what is the same error

With a traceback, the same error is the same exception type raised on the same path through our code: message, line
numbers and library frames do not count. Without one, it is the same masked message.

Merging two different errors is the worse mistake, so words are never masked. Changing either function changes every
stored fingerprint: raise `VERSION` with it.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from ipaddress import IPv6Address

from bot.correlate.tracebacks import Frame, Traceback, find_traceback

VERSION = "v1"

_MAX_TEXT = 8_192  # what is looked at of one entry: the head, and the tail where tracebacks name the exception
_MAX_TEMPLATE = 2_000
_MAX_PASSES = 6  # masking one part may complete another; see the property test
_MAX_FRAMES = 20

# Alternatives in order of precedence: the first that matches at a position wins. `keep` is a placeholder already there.
_CHANGING = re.compile(
    r"""
      (?P<keep><(?:time|uuid|email|url|ip|path|str|num|hex|id|rev)>)
    | (?P<time>
          \d{4}[-/]\d\d[-/]\d\d (?:[T ]\d\d:\d\d(?::\d\d)?(?:[.,]\d{1,9})?)? (?:[ ]?(?:Z\b|UTC\b|[+-]\d\d:?\d\d))?
        | \d{1,2}/(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/\d{4}:\d\d:\d\d:\d\d(?:[ ][+-]\d{4})?
        | (?<![\d:.])\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?![\d:])
      )
    | (?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)
    | (?P<url>\b[a-z][a-z0-9+.-]{1,19}://[^\s"'<>`)\]},]++)
    | (?P<email>(?<![\w.%+-])[\w.%+-]++@(?:[\w-]{1,63}\.)+[A-Za-z]{2,24}\b)
    | (?P<ip>
          (?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?(?![\w.])
      )
    | (?P<ip6>(?<![\w:.])(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}(?:(?:\.\d{1,3}){3})?(?![\w:]))
    | (?P<str>(?<![\w>])(?:"[^"\n]{0,500}"|'[^'\n]{0,500}'|`[^`\n]{0,500}`)(?!\w))
    | (?P<path>(?<![\w.:/>-])(?:[A-Za-z]:)?(?:[\\/][\w.@+~%=-]{1,255}){2,}[\\/]?)
    | (?P<hex>\b0[xX][0-9a-fA-F]++\b)
    | (?P<rev>(?<=-)\d{5}-[a-z0-9]{3}\b)
    | (?P<num>\b(?:\d{1,9}(?:\.\d{1,9})?(?:ns|us|µs|ms|h|m|s)){2,5}\b)
    | (?P<word>[A-Za-z0-9]++(?:(?:[.,]\d++)++[A-Za-z]*+)?)
    """,
    re.VERBOSE,
)
_ANSI = re.compile(r"\x1b\[[0-9;]{0,16}[A-Za-z]")
_WORD = re.compile(r"[A-Za-z0-9]+")
_RUNS = re.compile(r"\d+|[^\W\d]+")
_NUMBERS = re.compile(r"\d+(?:[.,]\d+)*")
_UNITS = frozenset(
    {"ns", "us", "µs", "ms", "s", "sec", "secs", "m", "min", "mins", "h", "hrs", "d", "b", "bytes", "x", "k"}
)
_UNITS |= {"kb", "mb", "gb", "tb", "kib", "mib", "gib", "st", "nd", "rd", "th"}
_ANY_ID = re.compile(r"<(?:num|hex|id)>")  # one position may hold 1234567 today and 123456f tomorrow


def fingerprint(text: str) -> str:
    """`v1:<16 hexadecimal digits>` of the error that this log text shows; the same for "" as for any empty text.

    Deterministic across processes and platforms; any text is accepted, lone surrogates and NULs included.
    """
    return _fingerprint(_ends(text))


def mask(text: str) -> str:
    """`text` with every changing part replaced by a placeholder such as `<num>`; masking twice is masking once.

    Masked: timestamps, UUIDs, URLs, e-mails, IP addresses, quoted values, paths, hexadecimal and other numbers with
    their units, identifiers mixed of letters and digits, revision suffixes. Words are kept.
    """
    for _ in range(_MAX_PASSES):
        masked = _CHANGING.sub(_placeholder, _ANSI.sub("", text))
        if masked == text:
            break
        text = masked
    return text


def frame_key(frame: Frame) -> str:
    """A frame without what changes between builds: no line number, hashes in bundle names masked."""
    return mask(f"{frame.file}:{frame.function}")


@lru_cache(maxsize=2_048)
def _fingerprint(text: str) -> str:
    traceback = find_traceback(text)
    subject = _of_traceback(traceback) if traceback else _template(text)
    digest = hashlib.blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=8)
    return f"{VERSION}:{digest.hexdigest()}"


def _template(text: str) -> str:
    """The masked message on one line, so that wrapping and indentation do not count."""
    return _ANY_ID.sub("<*>", " ".join(mask(text)[:_MAX_TEMPLATE].split()))


def _of_traceback(traceback: Traceback) -> str:
    """Exception type and our frames; all frames where none is ours; a recursion counts as one frame."""
    ours = [frame_key(frame) for frame in traceback.frames if frame.ours]
    keys = ours or [frame_key(frame) for frame in traceback.frames]
    once = [key for key, previous in zip(keys, [None, *keys], strict=False) if key != previous]
    return "\n".join([traceback.language, traceback.exception, *once[-_MAX_FRAMES:]])


def _ends(text: str) -> str:
    half = _MAX_TEXT // 2
    return text if len(text) <= _MAX_TEXT else f"{text[:half]}\n{text[-half:]}"


def _placeholder(match: re.Match[str]) -> str:
    kind = match.lastgroup or "keep"
    if kind == "keep":
        return match[0]
    if kind == "ip6":
        return _masked_ip6(match[0])
    return _masked_word(match[0]) if kind == "word" else f"<{kind}>"


def _masked_ip6(text: str) -> str:
    """An IPv6 address, unless it is `a::b` (C++) or `10:5:3` (line and column)."""
    try:
        is_address = not text.replace(":", "").isalpha() and bool(IPv6Address(text))
    except ValueError:
        is_address = False
    return "<ip>" if is_address else _WORD.sub(lambda word: _masked_word(word[0]), text)


def _masked_word(word: str) -> str:
    """`42`, `12ms` → `<num>`; `utf8` → `utf<num>`; `a1b2c3d`, `8f3a9c` → `<id>`; words stay."""
    if word.isalpha():
        return word
    runs = _RUNS.findall(_NUMBERS.sub("0", word))
    if len(runs) == 1 or (len(runs) == 2 and runs[0] == "0" and runs[1].lower() in _UNITS):
        return "<num>"
    if len(runs) > 2:
        return "<id>"
    return _NUMBERS.sub("<num>", word)
