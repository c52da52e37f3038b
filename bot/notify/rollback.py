"""The rollback plan on the card: the exact change, why its target is trusted, who decided, how it went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.model.incident import Decision, RollbackPlan
from bot.notify.buttons import APPROVE, REJECT, approvals
from bot.notify.safe import line
from bot.notify.words import shares, short


@dataclass(frozen=True)
class RollbackShown:
    """A plan in words; `state` is the plan's own word.

    Attributes:
        service: whose traffic is moved, "" where that is the failing one.
        before, after: (short name, percent), largest first. tags: of entries that stay as they are.
        missing: how many more approvals are needed, 0 when none.
        took: `3.1 s` from the approval to the moved traffic.
    """

    state: str
    service: str
    target: str
    before: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, int], ...]
    tags: tuple[str, ...]
    proof: str
    dry_run: bool
    expires_at: datetime
    approved: tuple[Decision, ...]
    rejected: Decision | None
    missing: int
    took: str
    verification: str
    note: str

    @property
    def is_whole(self) -> bool:
        """All traffic goes from one revision to another: the target says it all."""
        return len(self.before) == len(self.after) == 1


def rollback_shown(plan: RollbackPlan, service: str, *, failing: str) -> RollbackShown:
    """The plan as shown.

    Args:
        service: whose traffic it moves. failing: the one that the incident is about.
    """
    given = approvals(plan)
    first = {decision.by: decision for decision in reversed(plan.decisions) if decision.action == APPROVE}
    return RollbackShown(
        state=str(plan.state),
        service="" if service == failing else service,
        target=short(plan.target, service),
        before=shares(plan.before, service),
        after=shares(plan.after, service),
        tags=tuple(dict.fromkeys(target.tag for target in plan.after.tags if target.tag)),
        proof=line(plan.proof, 300),
        dry_run=plan.dry_run,
        expires_at=plan.expires_at,
        approved=tuple(first[by] for by in given),
        rejected=next((decision for decision in plan.decisions if decision.action == REJECT), None),
        missing=max(0, plan.policy.approvals_needed - len(given)),
        took="" if plan.shift_took_s is None else f"{plan.shift_took_s:.1f} s",
        verification=line(plan.verification, 300),
        note=line(plan.note, 300),
    )
