"""Events in: every delivery is verified, understood and stored before it is answered with 2xx.

source.py        the contract: Source, Delivery, Trust, Inbox
config.py        what the sources need to believe a delivery
keys.py          public keys of token issuers, cached
pubsub.py        Cloud Run's audit log, pushed by Pub/Sub with a token
cloud_audit.py   what an audit-log entry says
webhook.py       a deploy told by any pipeline, signed
config_change.py a setting changed without a deploy, told by whoever did, signed
http.py          the routes around them
"""

from bot.ingest import config_change, pubsub, webhook
from bot.ingest.source import Source

SOURCES: tuple[Source, ...] = (pubsub.SOURCE, webhook.SOURCE, config_change.SOURCE)
