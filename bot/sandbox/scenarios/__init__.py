"""What can happen, as scripts; a file beside this one for each, and here is the list."""

from typing import Final

from bot.sandbox.scenarios import (
    bad_release,
    errors_after_deploy,
    healthy,
    port_mismatch,
    port_mismatch_new_service,
)
from bot.sandbox.scenarios.scenario import Scenario, Stage
from bot.sandbox.scenarios.start import set_up
from bot.sandbox.scenarios.traffic import Traffic

SCENARIOS: Final[tuple[Scenario, ...]] = (
    bad_release.SCENARIO,
    port_mismatch.SCENARIO,
    port_mismatch_new_service.SCENARIO,
    errors_after_deploy.SCENARIO,
    healthy.SCENARIO,
)

__all__ = ["SCENARIOS", "Scenario", "Stage", "Traffic", "set_up"]
