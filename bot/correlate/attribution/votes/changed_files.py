"""Do the failing frames lie in files that the suspect's commit changed?"""

from __future__ import annotations

from pathlib import PurePosixPath

from bot.correlate.attribution.case import Case, Suspect
from bot.model.attribution import Cause, Vote

_TOUCHED = 2.0


def vote(case: Case, suspect: Suspect) -> Vote | None:
    rise = case.rise_of(suspect.service)
    changed = case.known.changed_files.get(suspect.revision, ())
    if suspect.cause is not Cause.REVISION or rise is None or not changed or not rise.groups:
        return None
    whole = sum(excess for _, excess in rise.groups)
    touched: dict[str, float] = {}
    for group, excess in rise.groups:
        for path in changed:
            if _tail(path) in group.wording.sample:
                touched[path] = touched.get(path, 0.0) + excess
                break
    if not touched:
        return None
    share = min(1.0, sum(touched.values()) / whole)
    return Vote(
        "changed_files",
        _TOUCHED * share,
        f"the failing frames lie in what it changed: {', '.join(sorted(touched)[:3])}",
    )


def _tail(path: str) -> str:
    """The last two parts: roots differ between the repository and the image."""
    return "/".join(PurePosixPath(path).parts[-2:])
