"""Correlate: log entries in, error groups and causes out. Pure: no I/O, no clock.

from bot.correlate import fingerprint, diagnose

entry_json    Cloud Logging's JSON → LogEntry
fingerprints  one log text → a stable name for its error
tracebacks    one log text → exception, frames, the culprit among ours
reassembly    tracebacks that were logged line by line → one entry each
telling       which entries speak of an error, and which are the platform's chatter
grouping      many entries → error groups
diagnosis     many entries → causes a person can act on, root cause first
"""

from bot.correlate.diagnosis import Facts, diagnose
from bot.correlate.entry_json import from_json
from bot.correlate.fingerprints import fingerprint, mask
from bot.correlate.grouping import group

__all__ = ["Facts", "diagnose", "fingerprint", "from_json", "group", "mask"]
