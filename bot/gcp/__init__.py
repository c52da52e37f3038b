"""READ: Google Cloud, through its own async clients. Nothing else outside the sandbox imports google.cloud or grpc.

config    where Google is and how long to wait for it
clients   the four clients, one object to close
errors    Google's exceptions → ours
run       a service and its revisions; the one call that moves traffic
states    Cloud Run's messages → `bot.model.cloud_run`, pure
logging   request counts and log entries of a revision; what went wrong in all services
monitoring  requests by revision, class of answer and minute, of all services
entries   Cloud Logging's messages → `bot.model.evidence`, pure
budget    the read quota of Cloud Logging, shared by everyone who reads
"""
