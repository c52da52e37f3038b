"""Attribution: signals in, causes with their votes out. Pure: no I/O, no clock; the same signals give the same answer."""

from bot.correlate.attribution.signals import Config, Deploy, Log, Requests, Signal

__all__ = ["Config", "Deploy", "Log", "Requests", "Signal"]
