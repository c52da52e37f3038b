"""The buttons under a card. Which of them are shown is decided elsewhere: shown = allowed now.

A button carries nothing but an id: whoever presses it may have altered the rest, and the card may be old.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.model.incident import Incident, RollbackPlan
from bot.notify.words import phrase, short, split_text
from bot.redact import shorten

APPROVE = "approve_rollback"
REJECT = "reject_rollback"
ACKNOWLEDGE = "acknowledge"

_CONFIRM_CHARS = 300
_LATER = "Later deploys then get 0 % until you release the traffic."


@dataclass(frozen=True)
class Confirm:
    """Asked before the press counts. Lengths: title 100, text 300, answers 30."""

    title: str
    text: str
    yes: str
    no: str = "Cancel"


@dataclass(frozen=True)
class Button:
    """One button; `style` is "primary", "danger" or "" for plain."""

    action: str
    label: str
    value: str
    style: str = ""
    confirm: Confirm | None = None


def buttons(incident: Incident, service: str, actions: Sequence[str]) -> tuple[Button, ...]:
    """The buttons for `actions`, in their order; () for none."""
    return tuple(_button(action, incident, service) for action in actions)


def _button(action: str, incident: Incident, service: str) -> Button:
    plan = incident.plan
    if plan is not None and action == APPROVE:
        return Button(APPROVE, _approve_label(plan), plan.id, "primary", _confirm(plan, incident, service))
    if plan is not None and action == REJECT:
        return Button(REJECT, "Reject", plan.id)
    return Button(action, phrase(action).capitalize(), incident.id)


def _approve_label(plan: RollbackPlan) -> str:
    needed = plan.policy.approvals_needed
    nth = f" ({len(approvals(plan)) + 1} of {needed})" if needed > 1 else ""
    return f"Approve rollback{nth}{': dry run' if plan.dry_run else ''}"


def approvals(plan: RollbackPlan) -> tuple[str, ...]:
    """The Slack ids of those who approved, each once, in order."""
    return tuple(dict.fromkeys(decision.by for decision in plan.decisions if decision.action == APPROVE))


def _confirm(plan: RollbackPlan, incident: Incident, service: str) -> Confirm:
    """The exact change, in full names where they fit: it is what will be executed."""
    change = f"Traffic now: {split_text(plan.before)}\nAfter: {split_text(plan.after)}"
    text = f"{change}\n{_LATER}"
    if len(text) > _CONFIRM_CHARS:
        before, after = (
            ", ".join(f"{short(name, service)} {percent} %" for name, percent in split.serving.items())
            for split in (plan.before, plan.after)
        )
        text = f"Traffic now: {before}\nAfter: {after}\n{_LATER}"
    title = f"Roll back {service} ({incident.environment})?"
    if plan.dry_run:
        return Confirm(title, shorten(f"DRY RUN: nothing will be moved.\n{text}", _CONFIRM_CHARS), "Approve, dry run")
    return Confirm(title, shorten(text, _CONFIRM_CHARS), "Move the traffic")
