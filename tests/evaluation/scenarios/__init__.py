"""What happens in an episode: one function per scenario, one line in `SCENARIOS`.

Each keeps to what could be told from the evidence by somebody patient: an outage has users that nobody deployed or an old
revision that fails, too; a leak says what it ran out of; a callee that says nothing is named by its callers, or traced.
"""

from __future__ import annotations

from tests.evaluation.scenarios import delivery, deploys, elsewhere, harmless
from tests.evaluation.stage import Scenario

SCENARIOS: dict[str, Scenario] = {
    "bad-revision": deploys.bad_revision,
    "bad-canary": deploys.bad_canary,
    "low-traffic": deploys.low_traffic,
    "simultaneous-deploys": deploys.simultaneous,
    "guilty-callee": deploys.guilty_callee,
    "outage-after-deploy": elsewhere.outage_after_deploy,
    "outage-beside-canary": elsewhere.healthy_canary_in_trouble,
    "outage-without-deploy": elsewhere.outage_without_deploy,
    "config-change": elsewhere.config_change,
    "slow-leak": deploys.slow_leak,
    "flapping-revision": deploys.flapping_revision,
    "flapping-background": harmless.flapping_background,
    "traffic-surge": elsewhere.surge,
    "client-errors": elsewhere.client_errors,
    "reworded-error": harmless.reworded,
    "raised-log-level": harmless.raised_log_level,
    "cold-starts": harmless.cold_starts,
    "duplicates": delivery.duplicates,
    "late-and-skewed": delivery.late_and_skewed,
    "startup-failure": deploys.startup_failure,
    "cured-by-rollback": deploys.cured_by_rollback,
    "quiet-deploys": harmless.quiet_deploys,
}
