"""What looks like something else: announcements, crowds, chatter, echoes, roll-backs in an outage."""

from __future__ import annotations

from bot.correlate.attribution import Deploy
from bot.model.attribution import Cause

from .story import BUG, REFUSED, Story, calm

EXITED = "Container called exit(1)."


def test_what_is_announced_when_the_stream_begins_is_no_change():
    story = Story()
    story.signals.append(Deploy(0, 0.5, "auth", "auth-1", None, 100.0))
    story.serve("auth", "auth-1", 0, 120).serve("auth", "auth-1", 120, 400, fails=0.5)

    assert Cause.REVISION not in [cause for cause, _, _ in story.causes(400)]


def test_a_revision_that_was_replaced_is_not_blamed_for_an_outage_that_goes_on():
    story = calm("auth", "shop").deploy(600, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 650)
    story.serve("shop", "shop-1", 600, 650)
    story.serve("auth", "auth-2", 650, 800, fails=0.6, message=REFUSED).deploy(800, "auth", "auth-1", "auth-2")
    story.serve("auth", "auth-1", 800, 1_000, fails=0.6, message=REFUSED)
    story.serve("shop", "shop-1", 650, 1_000, fails=0.4, message=REFUSED)

    assert [cause for cause, _, _ in story.causes(1_000)] == [Cause.DEPENDENCY]


def test_a_dependency_that_two_services_name_is_the_cause_though_one_of_them_was_just_deployed():
    story = calm("svc-1", "svc-2").deploy(600, "svc-2", "svc-2-2", "svc-2-1")
    story.serve("svc-2", "svc-2-2", 600, 620).serve("svc-1", "svc-1-1", 600, 620)
    story.serve("svc-2", "svc-2-2", 620, 900, fails=0.5, message="timeout calling ledgerdb")
    story.serve("svc-1", "svc-1-1", 620, 900, every=2, fails=0.3, message="upstream svc-2 returned 500")
    story.serve("svc-1", "svc-1-1", 621, 900, every=2, fails=0.3, message="timeout calling ledgerdb")

    [(_, said)] = story.told(900)

    assert (said.cause, said.culprit) == (Cause.DEPENDENCY, "ledgerdb")


def test_services_whose_names_differ_in_a_number_are_told_apart_in_messages():
    story = calm("svc-1", "svc-3", "svc-5", until=600)
    for at in range(0, 600, 60):  # of every day
        story.say(at + 0.3, "svc-1", "svc-1-1", "upstream svc-5 returned 500", status=502)
    story.deploy(600, "svc-3", "svc-3-2", "svc-3-1").serve("svc-3", "svc-3-2", 600, 900, fails=0.5)
    story.serve("svc-1", "svc-1-1", 600, 900, fails=0.4, message="upstream svc-3 returned 500", status=502)

    assert story.causes(900) == [(Cause.REVISION, "svc-3", "svc-3-2")]


def test_six_times_the_requests_with_as_many_failures_among_them_are_no_rise():
    story = Story().serve("auth", "auth-1", 0, 600, fails=0.02, message="failed to load avatar")
    story.deploy(560, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 1_000, every=1 / 6, fails=0.02, message="failed to load avatar")

    assert {cause for cause, _, _ in story.causes(1_000)} <= {Cause.TRAFFIC}


def test_error_lines_beside_which_no_request_fails_are_chatter():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 1_000, fails=0.005)
    for at in range(0, 600, 20):
        story.say(at + 0.4, "auth", "auth-1", "request 7 failed", status=500)
    for at in range(650, 1_000, 4):
        story.say(at + 0.5, "auth", "auth-2", f"failed to send telemetry batch {at}", status=None)

    assert story.causes(1_000) == []


def test_three_lines_suffice_for_a_revision_that_does_not_start_beside_errors_of_every_day():
    story = Story()
    for at in range(0, 1_000, 90):
        story.say(at, "auth", "auth-1", "retry exhausted for job 7", status=500)
    story.deploy(600, "auth", "auth-2", "auth-1")
    for at in (608, 617, 626):
        story.say(at, "auth", "auth-2", EXITED, status=None)

    [(at, said)] = story.told(700)

    assert (said.revision, at) == ("auth-2", 630.0)


def test_a_kind_of_failure_that_only_the_new_revision_has_stands_out_from_the_others():
    story = Story().serve("auth", "auth-1", 0, 600, fails=0.03, message="failed to load avatar")
    story.deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 900, fails=0.03, message="failed to load avatar")
    for at in range(605, 900, 20):
        story.say(at + 0.5, "auth", "auth-2", BUG, status=500)

    assert story.causes(900) == [(Cause.REVISION, "auth", "auth-2")]


def test_a_burst_that_all_services_share_and_that_ends_blames_nobody():
    story = calm("auth", "shop", "mail").deploy(600, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 640)
    for service, revision in (("auth", "auth-2"), ("shop", "shop-1"), ("mail", "mail-1")):
        story.serve(service, revision, 640, 700, fails=0.5, message="service unavailable", status=503)
        story.serve(service, revision, 700, 1_000, fails=0.005, message="failed to load avatar")

    assert Cause.REVISION not in [cause for cause, _, _ in story.causes(1_000)]


def test_a_dependency_that_only_the_new_revision_cannot_reach_is_the_revisions_fault():
    story = calm("auth", "shop").deploy(600, "auth", "auth-2", "auth-1").serve("shop", "shop-1", 600, 1_000)
    story.serve("auth", "auth-2", 600, 1_000, fails=0.7, message=REFUSED)

    assert story.causes(1_000) == [(Cause.REVISION, "auth", "auth-2")]


def test_clients_that_are_refused_more_often_are_no_fault_of_the_revision_deployed_before():
    story = calm("auth").deploy(560, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 660)
    story.serve("auth", "auth-2", 660, 1_000, fails=0.4, message="forbidden", severity="WARNING", status=403)

    assert [cause for cause, _, _ in story.causes(1_000)] == [Cause.CLIENT]
