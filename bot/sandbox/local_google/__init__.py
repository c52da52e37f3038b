"""A Google Cloud for the sandbox: Cloud Run, Cloud Logging, audit log and Pub/Sub push on this machine."""

from bot.sandbox.local_google.cloud import LocalGoogle
from bot.sandbox.local_google.entries import Exchange
from bot.sandbox.local_google.history import Past
from bot.sandbox.local_google.image import Answer, Call, Crash, Failure, Image, Line, Need, gunicorn_boot
from bot.sandbox.local_google.pace import Pace

__all__ = [
    "Answer",
    "Call",
    "Crash",
    "Exchange",
    "Failure",
    "Image",
    "Line",
    "LocalGoogle",
    "Need",
    "Pace",
    "Past",
    "gunicorn_boot",
]
