"""Correlate: log entries in, error groups and causes out. Pure: no I/O, no clock.

from bot.correlate import fingerprint, diagnose

entry_json    Cloud Logging's JSON → LogEntry
fingerprints  one log text → a stable name for its error; masking takes out what changes, likeness is its short cut
tracebacks    one log text → exception, frames, the culprit among ours; one file per language
reassembly    tracebacks that were logged line by line → one entry each
telling       which entries speak of an error, and which are the platform's chatter
grouping      many entries → error groups; merging puts together what was counted in parts
novelty       error groups of now and before → which are new, grown, gone
series        many entries → errors per minute and revision
diagnosis     many entries → causes a person can act on, root cause first
attribution   signals of a whole fleet → whose fault a rise in errors is, with the votes; evidence_signals makes them
"""

from bot.correlate.diagnosis import Facts, diagnose
from bot.correlate.entry_json import from_json
from bot.correlate.fingerprints import fingerprint, mask
from bot.correlate.grouping import group

__all__ = ["Facts", "diagnose", "fingerprint", "from_json", "group", "mask"]
