"""What can happen, as scripts; a file beside this one for each, and here is the list."""

from typing import Final

from bot.sandbox.scenarios import (
    bad_canary,
    bad_release,
    errors_after_deploy,
    guilty_callee,
    healthy,
    innocent_deploy_dependency_outage,
    port_mismatch,
    port_mismatch_new_service,
    red_suite_behind_a_bad_deploy,
    tests_vanished,
    zero_tests_collected,
)
from bot.sandbox.scenarios.past import remember_minutes
from bot.sandbox.scenarios.scenario import Scenario, Stage
from bot.sandbox.scenarios.start import set_up
from bot.sandbox.scenarios.traffic import Traffic

SCENARIOS: Final[tuple[Scenario, ...]] = (
    bad_release.SCENARIO,
    port_mismatch.SCENARIO,
    port_mismatch_new_service.SCENARIO,
    errors_after_deploy.SCENARIO,
    bad_canary.SCENARIO,
    guilty_callee.SCENARIO,
    innocent_deploy_dependency_outage.SCENARIO,
    zero_tests_collected.SCENARIO,
    tests_vanished.SCENARIO,
    red_suite_behind_a_bad_deploy.SCENARIO,
    healthy.SCENARIO,
)

__all__ = ["SCENARIOS", "Scenario", "Stage", "Traffic", "remember_minutes", "set_up"]
