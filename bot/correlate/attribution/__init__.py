"""Attribution: signals in, causes with their votes out. Pure: no I/O, no clock; the same signals give the same answer.

    engine = Attributor(); engine.feed(signal) …; engine.tick(now) → what is new to say
    attribute(signals, now) → all that would have been said by now

The phenomenon. A deploy, a setting, a dependency, a crowd or a client can make errors rise, and their signs overlap: an
outage a minute after an innocent deploy looks like a bad deploy to whoever watches one service. What tells them apart is
*where* (only on the new revision? on services nobody deployed? in callers only?), *when* (before the change? at once?
does it go on, or was it a cold start?), *out of how many*, and *in which words*. No sign is proof; each is a vote.

The way of a signal:

    signals     what is listened to                      known        what a catalog adds
    lexicon     message → error group (content: what its words speak of)
    ledger      counts by service, revision, group in buckets of five seconds of source time, duplicates left out, bounded
                (records: what it keeps)
    exposure    share of traffic by deploys and request lines; volume by request lines, counts, or steady lines
    view        failures as they are to be counted
    rises       where totals rose, since when, how surely (statistics: e-values, so that looking often costs nothing);
                reworded messages and raised log levels leave totals as they were
    newkinds    … where a kind of failure came with one revision, whatever all failures together do
    excess      what was added, by kind; what it speaks of; whether requests failed at all
    case        rises that began together; relations: whose failures point at whom, by names (naming) and traces
    suspects    deploys, settings, a dependency, traffic, clients, nothing
    votes/      one file per kind of evidence: ln likelihood ratios with a sentence each; a sum, then a softmax
                (priors: how usual a cause is, no evidence; wording: sentences, the line that is quoted)
    decision    when a word is due: sure enough, rivals had their time to show, and it goes on (persistence)
    attributor  one word per rise, latched; taken back with a reason when another explanation is as good as certain

Times are source times wherever causes are compared and arrival times wherever waiting is measured.
"""

from bot.correlate.attribution.attributor import Attributor, Opinion, attribute, weighed
from bot.correlate.attribution.decision import Judged
from bot.correlate.attribution.known import Known
from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal

__all__ = [
    "Attributor",
    "Config",
    "Deploy",
    "Judged",
    "Known",
    "Log",
    "Opinion",
    "Requests",
    "Signal",
    "attribute",
    "weighed",
]
