"""Templates whose context is worded before it is laid out; the others show what they are given.

To add one: a function from what the caller hands over to what the template shows, and a line in `PRESENTERS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import msgspec

from bot.model.attribution import Attribution
from bot.notify.blame import blamed
from bot.notify.commit_tests import deploy_tests, quiet_tests
from bot.notify.errors_shown import errors_shown
from bot.notify.rerun import rerun_shown
from bot.notify.safe import line
from bot.notify.status import status
from bot.notify.suite import suite_note
from bot.notify.words import count, duration, person, short

Presenter = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_QUOTED = 300


def _status(context: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"status": status(context, detailed=False)}


def _status_of_one(context: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"status": status(context, detailed=True)}


def _quiet(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """A healthy deploy, as `bot.workflows.casebook` hands it over."""
    failed, total = context["failed"], context["total"]
    return {
        "where": f"{context['service']} ({context['environment']})",
        "revision": short(context["revision"], context["service"]),
        "percent": context["percent"],
        "counted": f"{failed:,} of {count(total, 'request')} failed",
        "window": duration(timedelta(seconds=context["window_s"])),
        "at": context["at"],
        "by": line(person(context["author"]), 60),
        "commit": line(context["commit"] or "", 40)[:7],
        "commit_url": context["commit_url"],
        "tests": quiet_tests(context),
    }


def _note(context: Mapping[str, Any]) -> Mapping[str, Any]:
    """A line of history: `moment` and what belongs to it; sentences from elsewhere on one line."""
    worded = {key: line(value, _QUOTED) if key == "why" else value for key, value in context.items()}
    if "blamed" in context:
        said = msgspec.convert(context["blamed"], Attribution)
        worded["blamed"] = blamed(said, context["service"])
    took = context.get("took_s")
    return {"note": worded | {"took": "" if took is None else f"{took:.1f} s"}}


def _errors(context: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"errors": errors_shown(context)}


def _rerun(context: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"rerun": rerun_shown(context)}


PRESENTERS: Mapping[str, Presenter] = MappingProxyType(
    {
        "reply/status": _status,
        "reply/errors": _errors,
        "reply/status_one": _status_of_one,
        "deploy/quiet": _quiet,
        "deploy/tests": deploy_tests,
        "incident/note": _note,
        "rerun/progress": _rerun,
        "suite/note": suite_note,
    }
)
