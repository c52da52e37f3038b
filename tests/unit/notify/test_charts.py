"""The chart: the same bytes for the same input, whatever is in it; and its words for those who cannot see it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from PIL import Image

from bot.model.evidence import Window
from bot.model.series import ErrorSeries, Mark, MarkKind, RevisionErrors
from bot.notify.chart_words import LONGEST_ALT_TEXT, alt_text, shown, summary
from bot.notify.charts import HEIGHT, SCALE, WIDTH, errors_chart

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SERVICE = "auth-service"
BAD = RevisionErrors("auth-service-00283-qab", (0,) * 16 + (12, 60, 97, 91) + (0,) * 10)
GOOD = RevisionErrors("auth-service-00281-kzq", (1, 0, 2) * 10)
HOSTILE = "$\\frac{1}{0}$ \n\x1b[31m\u202e שלום 漢字 \ud800 <b> %s {0} " + "w" * 5_000


@pytest.fixture(scope="module", autouse=True)
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Where matplotlib keeps its list of fonts: not in the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MPLCONFIGDIR", str(tmp_path_factory.mktemp("fonts")))
        yield


def series(*revisions: RevisionErrors, **fields) -> ErrorSeries:
    base = ErrorSeries(Window(NOON, NOON + timedelta(minutes=30)), timedelta(minutes=1), revisions)
    return replace(base, **fields)


DEPLOY = Mark(NOON + timedelta(minutes=15, seconds=20), MarkKind.DEPLOY, BAD.revision)
BACK = Mark(NOON + timedelta(minutes=20), MarkKind.ROLLBACK, GOOD.revision)
INCIDENT = series(BAD, GOOD, marks=(DEPLOY, BACK), requests=(400, 420, 410) * 10)


def picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def colours(png: bytes) -> set[tuple[int, int, int]]:
    found = picture(png).getcolors(maxcolors=1 << 24)
    assert found is not None
    return {colour for number, colour in found if number > 500}


def test_a_chart_is_a_picture_for_a_phone_on_opaque_paper():
    png = errors_chart(INCIDENT, title="auth-service (staging)", service=SERVICE)

    assert picture(png).size == (WIDTH * SCALE, HEIGHT * SCALE)
    assert picture(png).getpixel((3, 3)) == (255, 255, 255)
    assert Image.open(io.BytesIO(png)).info.get("Software") is None


def test_the_same_series_gives_the_same_bytes():
    first = errors_chart(INCIDENT, title="t", service=SERVICE)

    assert errors_chart(INCIDENT, title="t", service=SERVICE) == first


def test_each_revision_has_a_colour_of_its_own():
    vermillion, blue = (0xD5, 0x5E, 0x00), (0x00, 0x72, 0xB2)

    assert colours(errors_chart(series(BAD), title="t", service=SERVICE)) & {vermillion, blue} == {vermillion}
    assert {vermillion, blue} <= colours(errors_chart(series(BAD, GOOD), title="t", service=SERVICE))


def test_marks_and_requests_are_drawn():
    plain = errors_chart(series(BAD), title="t", service=SERVICE)

    assert errors_chart(series(BAD, marks=(DEPLOY,)), title="t", service=SERVICE) != plain
    assert errors_chart(series(BAD, requests=(9,) * 30), title="t", service=SERVICE) != plain


@pytest.mark.parametrize(
    "drawn",
    [
        series(),
        series(complete=False),
        series(BAD, requests=(None,) * 30),
        series(BAD, requests=(None, 5, None, *(7,) * 20, *(None,) * 7)),
        series(RevisionErrors("", (10**9,) * 30)),
        series(*(RevisionErrors(f"{HOSTILE}{number}", (number,) * 30) for number in range(9))),
        series(BAD, marks=tuple(Mark(NOON + timedelta(minutes=m), MarkKind.DEPLOY, HOSTILE) for m in range(30))),
        ErrorSeries(Window(NOON, NOON + timedelta(minutes=1)), timedelta(minutes=1), (RevisionErrors("r", (1,)),)),
        ErrorSeries(Window(NOON, NOON + timedelta(days=60)), timedelta(days=1), (RevisionErrors("r", (3,) * 60),)),
    ],
    ids=[
        "empty",
        "cut",
        "requests-unknown",
        "requests-with-holes",
        "billions",
        "hostile-names",
        "hostile-marks",
        "one-bar",
        "two-months",
    ],
)
def test_whatever_is_in_it_a_chart_is_drawn(drawn: ErrorSeries):
    assert picture(errors_chart(drawn, title=HOSTILE, service=SERVICE)).size == (WIDTH * SCALE, HEIGHT * SCALE)


# --- in words --------------------------------------------------------------------------------------------------------


def test_the_alt_text_says_what_the_picture_shows():
    assert alt_text(INCIDENT, title="Errors of auth-service (staging)", service=SERVICE) == (
        "Errors of auth-service (staging), 2 Mar 2026, 12:00–12:30 UTC: 290 errors. "
        "…-00283-qab 260, most at 12:18 (97 per minute). …-00281-kzq 30, most at 12:02 (2 per minute). "
        "12:15 deploy …-00283-qab. 12:20 rollback to …-00281-kzq."
    )


def test_the_words_above_the_chart_say_how_many_and_whose():
    assert summary(INCIDENT, SERVICE) == "290 errors, 2 Mar 2026, 12:00–12:30 UTC: …-00283-qab 260, …-00281-kzq 30"


def test_no_errors_are_said_to_be_none_only_when_all_was_read():
    assert "no errors, 2 Mar" in summary(series(), SERVICE)
    assert "no errors among those that could be read" in summary(series(complete=False), SERVICE)
    assert "at least 260 errors" in summary(series(BAD, complete=False), SERVICE)


def test_an_alt_text_fits_into_slack_however_hostile_the_names():
    many = series(*(RevisionErrors(f"{HOSTILE}{number}", (number,) * 30) for number in range(40)))

    said = alt_text(many, title=HOSTILE, service=SERVICE)

    assert len(said) <= LONGEST_ALT_TEXT
    assert "\n" not in said
    assert "\u202e" not in said


def test_a_secret_in_a_name_is_not_shown():
    assert "hunter2-swordfish" not in shown("password=hunter2-swordfish", 80)
