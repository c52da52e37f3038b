"""Links and gcloud lines; hostile names stay names."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import values

from bot.model.catalog import Deployment, Place, Service
from bot.model.cloud_run import TrafficSplit, TrafficTarget
from bot.model.evidence import Window
from bot.model.links import commit_url, gcloud_line, logs_explorer_url, release_line, revisions_url
from bot.model.log_query import entries_of, instant, quoted, requests_of

PLACE = values.place()
AT = datetime(2025, 9, 15, 14, 3, 11, 5, tzinfo=UTC)


def place_of(cloud_run: str, project: str = "acme-staging") -> Place:
    return replace(PLACE, deployment=Deployment(project, "us-central1", cloud_run))


def service_of(repository: str | None) -> Service:
    return replace(PLACE.service, repository=repository)


def test_the_gcloud_line_of_a_rollback():
    assert gcloud_line(PLACE, values.split(good=100)) == (
        "gcloud run services update-traffic auth-service --project=acme-staging --region=us-central1 "
        "--to-revisions=auth-service-00281-kzq=100"
    )


def test_a_split_over_several_revisions_is_one_line_without_its_tags():
    split = TrafficSplit((*values.split(good=90, bad=10).targets, TrafficTarget(values.BAD, 0, "canary")))

    assert gcloud_line(PLACE, split).endswith("--to-revisions=auth-service-00281-kzq=90,auth-service-00283-qab=10")


def test_the_line_that_lets_traffic_follow_the_latest_revision_again():
    assert release_line(PLACE) == (
        "gcloud run services update-traffic auth-service --project=acme-staging --region=us-central1 --to-latest"
    )


@given(st.text(min_size=1, max_size=30))
def test_a_pasted_line_runs_gcloud_and_nothing_else(name: str):
    words = shlex.split(release_line(place_of(name)))

    assert words == [
        *("gcloud", "run", "services", "update-traffic", name),
        *("--project=acme-staging", "--region=us-central1", "--to-latest"),
    ]


def test_logs_explorer_opens_with_the_query_filled_in():
    url = logs_explorer_url(PLACE, values.BAD, AT)

    assert url.startswith("https://console.cloud.google.com/logs/query;query=resource.type%3D%22cloud_run_revision%22")
    assert url.endswith("?project=acme-staging")
    assert f'resource.labels.revision_name="{values.BAD}"' in unquote(url)
    assert 'timestamp>="2025-09-15T14:03:11.000005Z"' in unquote(url)


def test_without_a_revision_logs_explorer_shows_the_service():
    assert 'resource.labels.service_name="auth-service"' in unquote(logs_explorer_url(PLACE, "", AT))


@given(st.text(max_size=30))
def test_no_name_breaks_out_of_a_link(name: str):
    parts = urlsplit(logs_explorer_url(place_of("auth-service", project=name or "p"), name, AT))

    assert parts.netloc == "console.cloud.google.com"
    assert parts.fragment == ""
    assert not set(" <>|\"'") & set(parts.geturl())


def test_the_page_of_a_services_revisions():
    assert revisions_url(PLACE) == (
        "https://console.cloud.google.com/run/detail/us-central1/auth-service/revisions?project=acme-staging"
    )


@pytest.mark.parametrize(
    ("repository", "url"),
    [
        ("https://github.example/acme/auth", "https://github.example/acme/auth/commit/a1b2c3d"),
        ("https://github.example/acme/auth/", "https://github.example/acme/auth/commit/a1b2c3d"),
        ("https://github.example/acme/auth.git/", "https://github.example/acme/auth/commit/a1b2c3d"),
        ("https://gitlab.example/acme/auth", "https://gitlab.example/acme/auth/-/commit/a1b2c3d"),
        ("https://bitbucket.example/acme/auth", "https://bitbucket.example/acme/auth/commits/a1b2c3d"),
    ],
)
def test_a_commit_is_linked_as_its_host_wants_it(repository: str, url: str):
    assert commit_url(service_of(repository), "A1B2C3D") == url


@pytest.mark.parametrize("commit", [None, "", "main", "a1b2c3d/../../evil", "a1b2c3d|click", "a1b2c3d\n"])
def test_what_is_not_a_sha_is_not_linked(commit: str | None):
    assert commit_url(service_of("https://github.example/acme/auth"), commit) is None


def test_without_a_repository_nothing_is_linked():
    assert commit_url(service_of(None), "a1b2c3d") is None


@given(st.text())
def test_quoted_text_is_one_string_literal(text: str):
    assert json.loads(quoted(text)) == text
    assert quoted(text).isascii()


def test_instants_are_in_utc_whatever_zone_they_came_in():
    berlin = timezone(timedelta(hours=2))

    assert instant(AT.astimezone(berlin)) == '"2025-09-15T14:03:11.000005Z"'


def test_queries_ask_for_exactly_the_revision_and_the_window():
    window = Window(AT, AT + timedelta(minutes=1))

    lines = entries_of(PLACE, values.BAD, window).splitlines()
    which = lines.pop(3)

    assert which.startswith('(NOT log_id("run.googleapis.com/requests") AND (')
    assert lines == [
        'resource.type="cloud_run_revision"',
        'resource.labels.location="us-central1"',
        f'(resource.labels.revision_name="{values.BAD}")',
        'timestamp>="2025-09-15T14:03:11.000005Z"',
        'timestamp<"2025-09-15T14:04:11.000005Z"',
    ]
    assert requests_of(PLACE, [values.BAD, values.GOOD], window).splitlines()[2] == (
        f'(resource.labels.revision_name="{values.BAD}" OR resource.labels.revision_name="{values.GOOD}")'
    )
