"""A Google Cloud for the sandbox: Cloud Run, Cloud Logging, audit log and Pub/Sub push on this machine."""

from bot.sandbox.local_google.cloud import LocalGoogle
from bot.sandbox.local_google.history import Past
from bot.sandbox.local_google.image import Crash, Failure, Image, Line, gunicorn_boot
from bot.sandbox.local_google.pace import Pace

__all__ = ["Crash", "Failure", "Image", "Line", "LocalGoogle", "Pace", "Past", "gunicorn_boot"]
