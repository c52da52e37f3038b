"""Why tests were not found: recognisers in the order in which they are asked, one file per family.

Of a lost module the first recogniser that knows the error gives the cause; equal causes of many modules are one, with
all of its modules. Of the run every recogniser may add one. The cause that lost most comes first.
"""

from __future__ import annotations

from dataclasses import replace

from bot.model.test_run import DiscoveryCause
from bot.reports.causes import imports, naming, paths, running
from bot.reports.causes.cause import Evidence, OfModule, OfRun

__all__ = ["OF_MODULE", "OF_RUN", "Evidence", "causes_of"]

_MAX_MODULES = 20

OF_MODULE: tuple[OfModule, ...] = (
    imports.duplicate_basename,
    imports.conftest_of_module,
    imports.syntax_error,
    imports.missing_name,
    imports.missing_module,
    running.unknown_marker,
    imports.broken_module,
)

OF_RUN: tuple[OfRun, ...] = (
    imports.conftest_of_run,
    running.internal_error,
    paths.path_not_found,
    paths.test_not_found,
    running.usage_error,
    running.interrupted,
    running.deselected,
    paths.testpaths_match_nothing,
    naming.class_with_init,
    running.async_without_plugin,
    paths.wrong_directory,
    naming.names_do_not_match,
)

_LAST: OfRun = naming.nothing_matched


def causes_of(evidence: Evidence) -> tuple[DiscoveryCause, ...]:
    """The causes that the evidence proves, the weightiest first; () when it proves none."""
    groups: dict[tuple[str, str], DiscoveryCause] = {}
    for lost in evidence.report.collection_errors:
        for of in OF_MODULE:
            if cause := of(lost, evidence):
                key = (cause.code, repr(sorted(cause.facts.items())))
                one = groups.setdefault(key, cause)
                modules = (*one.modules, lost.module)[:_MAX_MODULES]
                groups[key] = replace(one, modules=modules, lost=one.lost + 1)
                break
    of_modules = sorted(groups.values(), key=lambda cause: -cause.lost)
    of_run = [cause for of in OF_RUN if (cause := of(evidence))]
    last = _LAST(evidence) if not of_modules and not of_run else None
    return (*of_modules, *of_run, *((last,) if last else ()))
