"""One small episode per rule: who is blamed, who is not."""

from __future__ import annotations

from bot.correlate.attribution import Attributor, Known, attribute
from bot.model.attribution import Cause

from .story import BUG, REFUSED, Story, calm

BLAMED = [(Cause.REVISION, "auth", "auth-2")]


def test_a_deploy_after_which_requests_fail_is_blamed_within_a_minute():
    story = calm("auth", "shop").serve("shop", "shop-1", 600, 900)
    story.deploy(600, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 900, fails=0.4)

    [(at, said)] = story.told(900)

    assert (said.cause, said.service, said.revision) == BLAMED[0]
    assert at <= 660
    assert said.confidence >= 0.92
    assert said.votes


def test_a_canary_is_blamed_for_what_only_it_does():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1", 10)
    story.serve("auth", "auth-1", 600, 900, fails=0.005, message="failed to load avatar")
    story.serve("auth", "auth-2", 600, 900, every=9, fails=0.6)

    assert story.causes(900) == BLAMED


def test_a_canary_is_innocent_of_what_the_old_revision_does_as_well():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1", 50)
    for revision in ("auth-1", "auth-2"):
        story.serve("auth", revision, 600, 620, every=2).serve(
            "auth", revision, 620, 900, every=2, fails=0.5, message=REFUSED
        )

    assert Cause.REVISION not in [cause for cause, _, _ in story.causes(900)]


def test_errors_that_began_before_the_deploy_clear_it():
    story = calm("auth", until=540).serve("auth", "auth-1", 540, 600, fails=0.5, message="charge failed: E17")
    story.deploy(600, "auth", "auth-2", "auth-1").serve(
        "auth", "auth-2", 600, 900, fails=0.5, message="charge failed: E17"
    )

    assert Cause.REVISION not in [cause for cause, _, _ in story.causes(900)]


def test_services_that_nobody_deployed_point_at_the_dependency_they_share():
    story = calm("auth", "shop", "mail").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 630)
    story.serve("shop", "shop-1", 600, 630).serve("mail", "mail-1", 600, 630)
    for service, revision in (("auth", "auth-2"), ("shop", "shop-1"), ("mail", "mail-1")):
        story.serve(service, revision, 630, 900, fails=0.5, message=REFUSED)

    [(_, said)] = story.told(900)

    assert said.cause is Cause.DEPENDENCY
    assert "10.1.2.3:5432" in said.culprit
    assert said.seen_in == ("auth", "mail", "shop")


def test_a_setting_changed_just_before_is_the_cause_where_nothing_was_deployed():
    story = calm("auth").config(600, "auth", "jwt-key")
    story.serve("auth", "auth-1", 600, 900, fails=0.5, message="invalid signature: jwt-key does not match")

    assert [cause for cause, _, _ in story.causes(900)] == [Cause.CONFIG]


def test_a_surge_explains_errors_of_capacity():
    story = calm("auth").deploy(540, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 630)
    message = "The request was aborted because there was no available instance."
    story.serve("auth", "auth-2", 630, 900, every=0.15, fails=0.6, message=message, status=503)

    assert [cause for cause, _, _ in story.causes(900)] == [Cause.TRAFFIC]


def test_refusals_on_all_revisions_are_the_clients():
    story = calm("auth").serve(
        "auth", "auth-1", 600, 900, fails=0.6, message="bad input", severity="WARNING", status=400
    )

    assert [cause for cause, _, _ in story.causes(900)] == [Cause.CLIENT]


def test_the_same_errors_in_other_words_are_no_rise():
    story = Story().serve("auth", "auth-1", 0, 600, fails=0.1, message="failed to load avatar")
    story.deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 1_100, fails=0.1, message="AvatarError: picture is not there")

    assert story.causes() == []


def test_a_warning_that_is_logged_as_an_error_from_now_on_is_no_rise():
    story = Story()
    for at in range(0, 600, 5):
        story.say(at, "auth", "auth-1", "retrying order 17", "WARNING")
    story.deploy(600, "auth", "auth-2", "auth-1")
    for at in range(600, 1_100, 5):
        story.say(at, "auth", "auth-2", "retrying order 18", "ERROR")

    assert story.causes() == []


def test_cold_starts_that_end_by_themselves_are_not_blamed():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 615, fails=0.6, message="connection pool is not ready yet")
    story.serve("auth", "auth-2", 615, 1_000)

    assert story.causes() == []


def test_a_revision_that_does_not_start_is_blamed_within_twenty_seconds_or_two_ticks():
    story = calm("auth", until=900).deploy(600, "auth", "auth-2", "auth-1")
    for at in (601, 607, 614, 622, 640):
        story.say(at, "auth", "auth-2", "ModuleNotFoundError: No module named 'orjson'", None)
        story.say(at + 0.5, "auth", "auth-2", "Container called exit(1).", "WARNING")

    [(at, said)] = story.told(900)

    assert (said.service, said.revision) == ("auth", "auth-2")
    assert at <= 620


def test_a_callee_that_says_nothing_is_blamed_by_the_traces_and_words_of_its_callers():
    story = calm("shop", "cart", "auth").deploy(600, "auth", "auth-2", "auth-1")
    for service in ("shop", "cart"):
        story.serve(
            service, f"{service}-1", 600, 900, fails=0.4, message="invalid response from auth: field user missing"
        )
    story.serve("auth", "auth-2", 600, 900)

    assert story.causes(900) == BLAMED


def test_of_two_deploys_at_once_the_one_is_blamed_where_it_begins():
    story = calm("shop", "auth").deploy(600, "shop", "shop-2", "shop-1").deploy(603, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 603, 900, fails=0.4)
    story.serve("shop", "shop-2", 603, 900, fails=0.4, message="call to auth failed with status 500")

    assert story.causes(900) == BLAMED


def test_a_leak_that_shows_minutes_later_is_still_the_revisions():
    story = calm("auth", "shop").serve("shop", "shop-1", 600, 1_200)
    story.deploy(600, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 900)
    story.serve("auth", "auth-2", 900, 1_000, fails=0.1, message="Memory limit of 512 MiB exceeded with 530 MiB used.")
    story.serve(
        "auth", "auth-2", 1_000, 1_200, fails=0.4, message="Memory limit of 512 MiB exceeded with 540 MiB used."
    )

    assert story.causes() == BLAMED


def test_a_rollback_is_not_blamed_for_the_errors_that_it_ends():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1").serve("auth", "auth-2", 600, 800, fails=0.4)
    story.deploy(800, "auth", "auth-1", "auth-2").serve("auth", "auth-1", 800, 1_200)

    assert story.causes() == BLAMED


def test_low_traffic_is_inconclusive_and_says_how_much_more_it_needs():

    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1").say(602, "auth", "auth-2", BUG)
    story.say(606, "auth", "auth-2", BUG).say(611, "auth", "auth-2", BUG)
    engine = Attributor()
    for signal in story.ordered():
        engine.feed(signal)

    said = engine.tick(613)

    assert said == []
    assert engine.opinions()[0].missing
    assert engine.opinions()[0].judged[0].suspect.revision == "auth-2"


def test_errors_of_every_day_blame_no_deploy():
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 1_200, fails=0.005, message="failed to load avatar")

    assert story.causes() == []


def test_a_blame_is_withdrawn_with_a_reason_when_others_turn_out_to_fail_alike():
    story = calm("auth", "shop", "mail", "cart").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 1_000, fails=0.5, message="order 5 failed: state E17")
    for service in ("shop", "mail", "cart"):
        for at in range(601, 1_000, 2):  # their entries are held up for two minutes
            story.say(at, service, f"{service}-1", REFUSED, late=120.0, insert_id=f"{service}{at}")

    said = [one for _, one in story.told(1_000)]

    assert (said[0].cause, said[0].withdrawn) == (Cause.REVISION, "")
    assert any(one.cause is Cause.REVISION and "likelier" in one.withdrawn for one in said)
    assert said[-1].cause is Cause.DEPENDENCY


def test_frames_in_changed_files_speak_against_the_revision_that_changed_them():
    frame = 'Traceback (most recent call last):\n  File "/srv/app/billing/views.py", line 3, in charge\nKeyError: 1'
    story = calm("auth").deploy(600, "auth", "auth-2", "auth-1")
    story.serve("auth", "auth-2", 600, 700, fails=0.5, message=frame)

    [said] = attribute(story.signals, 700, Known(changed_files={"auth-2": ("src/app/billing/views.py",)}))

    assert "changed_files" in [vote.name for vote in said.votes]


def test_a_dependency_that_no_line_names_is_named_by_the_catalog():
    story = calm("shop", "mail")
    for service in ("shop", "mail"):
        story.serve(service, f"{service}-1", 600, 900, fails=0.5, message="save failed: connection refused")

    [said] = attribute(story.signals, 900, Known(depends_on={"shop": ("postgres",), "mail": ("redis", "postgres")}))

    assert (said.cause, said.culprit) == (Cause.DEPENDENCY, "postgres")
