"""What is good for a while only: trigger ids, response URLs, upload addresses."""

from __future__ import annotations

import pytest
from support.local_slack import ALERTS, AVERY, RILEY, Hands

from bot.sandbox.local_slack.refusals import Refused
from bot.sandbox.local_slack.response_urls import ResponseUrls
from bot.sandbox.local_slack.triggers import Triggers
from bot.sandbox.local_slack.uploads import Upload, Uploads


@pytest.fixture
def clock() -> Hands:
    return Hands()


def test_a_trigger_opens_one_view(clock: Hands) -> None:
    triggers = Triggers(clock)
    trigger_id = triggers.issue(RILEY)

    assert triggers.spend(trigger_id).user == RILEY
    with pytest.raises(Refused, match="exchanged_trigger_id"):
        triggers.spend(trigger_id)


def test_a_trigger_is_good_for_three_seconds(clock: Hands) -> None:
    triggers = Triggers(clock)
    in_time, late = triggers.issue(RILEY), triggers.issue(RILEY)
    clock.advance(seconds=3)
    triggers.spend(in_time)
    clock.advance(seconds=0.1)

    with pytest.raises(Refused, match="expired_trigger_id"):
        triggers.spend(late)


def test_a_made_up_trigger_opens_nothing(clock: Hands) -> None:
    with pytest.raises(Refused, match="invalid_trigger_id"):
        Triggers(clock).spend("1.2.abc")


def test_a_response_url_is_good_for_five_answers(clock: Hands) -> None:
    urls = ResponseUrls(clock)
    token = urls.issue(channel=ALERTS, user=RILEY).token
    assert [urls.spend(token).uses for _ in range(5)] == [1, 2, 3, 4, 5]

    with pytest.raises(Refused, match="used_url") as refused:
        urls.spend(token)
    assert refused.value.status == 404


def test_a_response_url_is_good_for_half_an_hour(clock: Hands) -> None:
    urls = ResponseUrls(clock)
    token = urls.issue(channel=ALERTS, user=RILEY).token
    clock.advance(minutes=30)
    urls.spend(token)
    clock.advance(seconds=1)

    with pytest.raises(Refused, match="expired_url"):
        urls.spend(token)


def uploaded(uploads: Uploads, user: str = RILEY) -> Upload:
    upload = uploads.issue(user=user, filename="chart.PNG", length=3, alt_text="")
    uploads.receive(upload.ticket, b"PNG")
    return upload


def test_a_file_arrives_with_the_length_that_was_announced() -> None:
    uploads = Uploads()
    upload = uploads.issue(user=RILEY, filename="chart.png", length=3, alt_text="")

    with pytest.raises(Refused, match="length_mismatch"):
        uploads.receive(upload.ticket, b"PNG and more")
    with pytest.raises(Refused, match="invalid_upload_ticket"):
        uploads.receive("made-up", b"PNG")


def test_a_file_is_completed_once_and_by_its_owner() -> None:
    uploads = Uploads()
    upload = uploaded(uploads)

    with pytest.raises(Refused, match="file_not_found"):
        uploads.take([upload.file_id], user=AVERY)
    (taken,) = uploads.take([upload.file_id], user=RILEY)
    assert (taken.content, taken.mimetype, taken.filetype) == (b"PNG", "image/png", "png")
    with pytest.raises(Refused, match="file_not_found"):
        uploads.take([upload.file_id], user=RILEY)


def test_files_are_completed_together_or_not_at_all() -> None:
    uploads = Uploads()
    there = uploaded(uploads)
    empty = uploads.issue(user=RILEY, filename="never-sent.txt", length=3, alt_text="")

    with pytest.raises(Refused, match="file_not_found"):
        uploads.take([there.file_id, empty.file_id], user=RILEY)

    assert uploads.take([there.file_id], user=RILEY)
