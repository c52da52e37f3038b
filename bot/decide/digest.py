"""What exactly was approved: a digest over the plan that was shown."""

from __future__ import annotations

import hashlib
import json

from bot.model.cloud_run import TrafficSplit
from bot.model.incident import RollbackPlan


def plan_digest(plan: RollbackPlan) -> str:
    """sha256, in hexadecimal, over everything that an approval is about.

    That is: which plan of which incident and place, traffic before and after, target and proof, etag, policy, times and
    whether it is a dry run. Not part of it: state, decisions and whatever is noted while it is carried out.
    """
    shown = {
        "id": plan.id,
        "incident_id": plan.incident_id,
        "place": plan.place,
        "resource_name": plan.resource_name,
        "before": _targets(plan.before),
        "after": _targets(plan.after),
        "etag": plan.etag,
        "target": plan.target,
        "proof": plan.proof,
        "policy": plan.policy.value,
        "created_at": plan.created_at.isoformat(),
        "expires_at": plan.expires_at.isoformat(),
        "dry_run": plan.dry_run,
    }
    canonical = json.dumps(shown, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("ascii")).hexdigest()


def _targets(split: TrafficSplit) -> list[list[str | int | None]]:
    return [[target.revision, target.percent, target.tag] for target in split.targets]
