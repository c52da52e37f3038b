"""The Logging query language: tokens → tree → a function of a log entry."""

from bot.sandbox.local_google.filter.compile import Filter, compile_filter

__all__ = ["Filter", "compile_filter"]
