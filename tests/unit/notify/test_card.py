"""What the card says, by meaning; how it looks is in the snapshots."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from support import cards

from bot.decide.impact import estimate
from bot.model.catalog import Arr
from bot.model.evidence import Gap
from bot.model.incident import Incident, IncidentState, PlanState, SameRise
from bot.model.judgement import IncidentKind
from bot.notify.card import Card, card
from bot.notify.message import Message
from bot.notify.plain import readable
from bot.notify.render import render_card

PERMISSION = (
    "Cloud Logging does not let the bot do this in acme-staging: logging.logEntries.list is missing. Grant it: "
    "`gcloud projects add-iam-policy-binding acme-staging "
    "--member=serviceAccount:reliability-bot@acme-staging.iam.gserviceaccount.com --role=roles/logging.viewer`"
)
GAP = Gap("Cloud Logging", PERMISSION)


def view(incident: Incident, **options: object) -> Card:
    return card(incident, cards.PLACE, arr=cards.CATALOG.business.arr, **options)  # type: ignore[arg-type]


def message(incident: Incident) -> Message:
    return render_card(incident, cards.PLACE, cards.CATALOG)


def lines(incident: Incident) -> list[str]:
    return readable(message(incident)).splitlines()


def block(incident: Incident, name: str) -> dict[str, object] | None:
    return next((each for each in message(incident).blocks if each["block_id"] == name), None)


def test_the_first_lines_tell_what_since_when_and_who_suffers() -> None:
    first = lines(cards.bad_release())[:5]

    assert first == [
        "🔴 P0 · auth-service (staging) · golden path blocked",
        "Since 2025-11-17 14:03:08 UTC · restore by 18:03 UTC",
        (
            "`…-00283-qab` serves 100 % and fails 97 % of its requests: 1,204 of 1,241 in 3 min to 14:06:08 UTC "
            "(0.1 % of 1,530 on …-00281-kzq before it)"
        ),
        "Impact: “Sign in and get a first answer” blocked",
        "ARR at risk $485K ($480K–$489K) of $500K",
    ]


def test_the_same_incident_gives_the_same_card_byte_for_byte() -> None:
    assert repr(message(cards.bad_release())) == repr(message(cards.bad_release()))


def test_the_lock_screen_says_that_a_rollback_waits() -> None:
    text = message(cards.bad_release()).text

    assert text.startswith("🔴 P0 · auth-service (staging) · golden path blocked since 14:03:08 UTC")
    assert "waits for approval" in text


def test_a_blocked_deploy_says_who_still_serves_and_offers_no_rollback() -> None:
    told = "\n".join(lines(cards.port_mismatch()))

    assert "5 of 5 deploys failed" in told
    assert "Users: still served by `…-00281-kzq` 100 %: rollback not needed" in told
    assert "ARR at risk now $0 · exposed $500K of $500K" in told
    assert "[Approve rollback]" not in told


def test_a_new_service_that_never_started_serves_nobody() -> None:
    told = lines(cards.port_mismatch(served=False))

    assert told[0].endswith("nobody is served")
    assert "Users: nobody is served; there is no revision to roll back to" in told


def test_counts_of_a_log_that_was_cut_are_lower_bounds() -> None:
    assert "at least 1,502 of 5,000 sampled in 3 min" in "\n".join(lines(cards.errors_after_deploy()))


def test_unknown_impact_names_the_missing_factor_and_no_figure() -> None:
    told = "\n".join(lines(cards.unmeasured()))

    assert "ARR at risk unknown: share of the ARR" in told
    assert "$" not in told


def test_a_log_that_could_not_be_read_is_never_no_errors() -> None:
    told = "\n".join(lines(cards.unmeasured()))

    assert "Evidence partial: Cloud Logging" in told
    assert "no error" not in told


def test_the_button_carries_the_plan_and_asks_for_the_exact_change() -> None:
    actions = block(cards.bad_release(), "actions")

    assert actions is not None
    approve, reject, acknowledge = actions["elements"]  # type: ignore[misc]
    assert (approve["action_id"], approve["value"]) == ("approve_rollback", cards.plan().id)
    assert (reject["action_id"], reject["value"]) == ("reject_rollback", cards.plan().id)
    assert (acknowledge["action_id"], acknowledge["value"]) == ("acknowledge", cards.bad_release().id)
    assert f"Traffic now: {cards.BAD} 100 %\nAfter: {cards.GOOD} 100 %" in approve["confirm"]["text"]["text"]


@pytest.mark.parametrize("state", [state for state in PlanState if state is not PlanState.PROPOSED])
def test_a_decided_plan_has_no_buttons_to_decide_with(state: PlanState) -> None:
    actions = block(cards.bad_release(plan=cards.plan(state)), "actions")

    assert actions is not None
    assert [button["action_id"] for button in actions["elements"]] == ["acknowledge"]  # type: ignore[union-attr]


def test_a_resolved_card_says_who_approved_how_long_it_took_and_that_traffic_is_pinned() -> None:
    told = "\n".join(lines(cards.resolved()))

    assert "Restored after 1 min 57 s, in time" in told
    assert "Approved by @U0AVERY0001 14:05:02 UTC · traffic moved in 3.1 s" in told
    assert "Verified: 0 of 412 requests failing" in told
    assert "pinned to `…-00281-kzq`: later deploys get 0 % until you release it" in told
    assert "--to-latest" in told
    assert block(cards.resolved(), "actions") is None


def test_a_restore_after_the_promised_time_says_so() -> None:
    late = replace(cards.resolved(), mitigated_at=cards.later(5 * 3600))

    assert "Restored after 5 h, later than promised" in "\n".join(lines(late))


def test_a_dry_run_says_so_before_and_after() -> None:
    before = "\n".join(lines(cards.bad_release(plan=cards.plan(dry_run=True))))
    after = "\n".join(lines(cards.bad_release(plan=cards.plan(PlanState.VERIFIED, dry_run=True))))

    assert "DRY RUN: approving moves no traffic" in before
    assert "DRY RUN: no traffic was moved" in after
    assert "Rolled back" not in after


def test_the_proof_is_quoted_with_how_often_and_since_when_it_was_seen() -> None:
    cause = view(cards.bad_release()).cause

    assert cause.certainty == "sure"
    assert cause.proof == "ModuleNotFoundError: No module named 'app.services.monitoring'"
    assert (cause.seen, cause.first) == ("15 times", cards.later(3))


def test_without_a_diagnosis_the_most_frequent_error_is_quoted_as_not_known() -> None:
    cause = view(cards.errors_after_deploy()).cause

    assert cause.title.startswith("not known")
    assert cause.proof == "TypeError: 'NoneType' object is not subscriptable"


def test_a_secret_in_the_log_is_redacted_before_it_is_cut() -> None:
    secret = "hunter2-swordfish"
    group = cards.group("x" * 230 + f" password={secret}", 3)

    told = "\n".join(lines(cards.bad_release(diagnosis=None, groups=(group,))))

    assert secret[:5] not in told


def test_a_missing_revision_list_still_makes_a_card() -> None:
    told = lines(cards.bad_release(revisions=(), requests=None, plan=None))

    assert told[0].startswith("🔴 P0")


def test_arr_in_another_currency_is_not_compared_with() -> None:
    shown = card(cards.bad_release(), cards.PLACE, arr=Arr(1, "EUR", cards.START.date()))

    assert shown.impact.of == ""


def test_what_is_delayed_says_by_how_much() -> None:
    assert view(cards.bad_release(), delayed_by=timedelta(seconds=95)).delayed == "1 min 35 s"


def test_the_same_gap_is_told_once() -> None:
    gap = Gap("Cloud Logging", "Cloud Logging did not answer")

    assert view(cards.bad_release(gaps=(gap, gap))).gaps == ("Cloud Logging did not answer",)


def test_an_acknowledged_card_says_who_is_on_it() -> None:
    incident = replace(cards.resolved(), state=IncidentState.ACKNOWLEDGED, plan=None)

    assert "👀 Acknowledged by @U0RILEY0001 14:04:00 UTC" in lines(incident)


def test_echoes_of_the_cause_are_told_apart_from_other_errors() -> None:
    groups = str(block(cards.bad_release(), "groups"))

    assert "Not the cause: 1,204× `The request failed" in groups
    assert "15× `gunicorn: Worker failed to boot` (they follow from it)" in groups
    assert "Also 2× `redis: connection reset by peer`" in groups


def test_the_logs_link_begins_when_the_failing_revision_was_deployed() -> None:
    late = cards.bad_release(revisions=(replace(cards.bad_release().revisions[0], deployed_at=cards.later(60)),))

    assert "2025-11-17T14%3A02%3A31" in view(cards.bad_release()).commands.logs_url
    assert "2025-11-17T14%3A03%3A08" in view(late).commands.logs_url


def test_the_logs_link_of_a_blocked_deploy_begins_at_the_newest_attempt() -> None:
    base = cards.port_mismatch()
    again = replace(base, revisions=(replace(base.revisions[0], deployed_at=cards.later(600)), *base.revisions))

    assert "2025-11-17T14%3A13%3A08" in view(again).commands.logs_url


def test_an_unknown_impact_has_no_formula() -> None:
    nobody = replace(cards.CATALOG, journeys={})
    unknown = estimate(nobody, "auth", IncidentKind.DEPLOY_BLOCKED, None, 0, cards.later(180))

    assert block(cards.port_mismatch(served=False, impact=unknown), "counted") is None
    assert "How it is counted" not in str(block(cards.unmeasured(), "counted"))


def test_the_command_that_would_close_a_gap_is_shown_whole() -> None:
    assert PERMISSION.rpartition("`gcloud ")[2] in "\n".join(lines(cards.bad_release(gaps=(GAP,))))
    assert "Cloud Logging: Cloud Logging" not in "\n".join(lines(cards.bad_release(gaps=(GAP,))))


def test_a_pin_of_another_service_is_released_there_whatever_is_proposed_now():
    pinned = replace(
        cards.errors_after_deploy(),
        plan=cards.plan(PlanState.PROPOSED),
        pinned_to=cards.CALLEE_GOOD,
        pinned_place=cards.CALLEE.key,
    )

    said = readable(render_card(pinned, cards.PLACE, cards.CATALOG))

    assert "update-traffic backend-service" in said
    assert "00017-hal" in said


def test_while_nobody_is_blamed_the_card_says_what_is_missing_and_no_longer_afterwards():
    open_now = cards.errors_after_deploy(undecided="inconclusive: 3 failures so far; about 5 more would settle it")

    assert "not decided yet · inconclusive: 3 failures so far" in "\n".join(lines(open_now))
    assert "not decided yet" not in "\n".join(lines(replace(open_now, attribution=cards.callee())))
    assert "not decided yet" not in "\n".join(lines(replace(open_now, state=IncidentState.RESOLVED)))


def test_an_outage_of_forty_services_names_a_few_of_their_incidents():
    everything_fails = cards.errors_after_deploy(same_rise=tuple(SameRise(n, f"s{n}") for n in range(20, 60)))

    assert "Same rise as #20 (s20), #21 (s21), #22 (s22), #23 (s23), #24 (s24), 35 more" in "\n".join(
        lines(everything_fails)
    )
