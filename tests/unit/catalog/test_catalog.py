"""reliability.yaml: what is right is read, what is wrong is told with file, line, field and mend."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import catalog
from bot.catalog import CatalogReport
from bot.errors import InvalidConfiguration
from bot.model.catalog import RollbackPolicy, Severity

EXAMPLE = Path(__file__).parents[3] / "reliability.yaml"

GOOD = """\
business:
  arr: {amount: 500000, currency: USD, as_of: 2025-09-15}
  restore_within: 4h
journeys:
  golden-path: {title: Sign in, needs: [auth], arr_share: 1.0, objective: 0.95}
services:
  auth:
    tier: 1
    channel: C0AUTHOPS01
    health: /health
    suites: [e2e]
    requires_env: [PORT]
    repository: https://github.example/acme/auth
    deployments:
      staging:
        project: acme-staging
        region: us-central1
        cloud_run: auth-service
        rollback: {policy: two-approvers, approvers: [U0AVERY0001, U0DANA00001]}
detection: {failures: 5, ratio: 0.05, window: 60s, min_requests: 20}
severity:
  - {when: {kind: serving_failure, tier: 1}, then: P0}
  - {then: P2}
suites:
  e2e: {guards: [golden-path], targets: {pass: 0.9}, warnings: {DeprecationWarning: 5}}
roles:
  leadership: [U0OLIVE0001]
"""

Check = Callable[..., CatalogReport]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """check(): the good catalog; check(old, new): with one change; check(text=…): another one."""

    def report(old: str = "", new: str = "", *, text: str | bytes = GOOD) -> CatalogReport:
        assert not old or (isinstance(text, str) and text.count(old) == 1)
        changed = text.replace(old, new) if old and isinstance(text, str) else text
        file = tmp_path / "reliability.yaml"
        file.write_bytes(changed.encode() if isinstance(changed, str) else changed)
        return catalog.check(file)

    return report


def told(problems: tuple[catalog.Problem, ...]) -> list[tuple[int, str, str]]:
    return [(problem.line, problem.field, f"{problem.text}; {problem.mend}") for problem in problems]


def test_the_example_in_the_repository_has_neither_errors_nor_warnings() -> None:
    report = catalog.check(EXAMPLE)

    assert (report.errors, report.warnings) == ((), ())
    assert catalog.load(EXAMPLE).place("auth/staging")


def test_a_good_catalog_is_read_into_its_types(check: Check) -> None:
    found = check().catalog

    assert found
    assert found.business.arr
    assert (found.business.arr.as_of, found.business.restore_within) == (date(2025, 9, 15), timedelta(hours=4))
    assert found.detection.window == timedelta(seconds=60)
    assert found.severity[0].then is Severity.P0
    assert found.places[0].deployment.rollback.policy is RollbackPolicy.TWO_APPROVERS
    assert found.find("acme-staging", None, "auth-service") == found.places[0]


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "said"),
    [
        ("health: /health", "helth: /health", 10, "services.auth.helth", "is not known here; health?"),
        ("tier: 1\n", "tier: high\n", 8, "services.auth.tier", "must be a whole number"),
        ("tier: 1\n", "tier: 9\n", 8, "services.auth.tier", "must be 1 to 4; 1 = most important"),
        ("tier: 1\n", "tier:\n", 8, "services.auth.tier", "is empty; it must be a whole number"),
        ("C0AUTHOPS01", "'#auth-alerts'", 9, "services.auth.channel", "must be a channel's id, not its name"),
        ("C0AUTHOPS01", "7", 9, "services.auth.channel", "must be text; put it in quotes"),
        ("health: /health", "health: health", 10, "services.auth.health", "must be a path"),
        ("suites: [e2e]", "suites: [e2]", 11, "services.auth.suites[0]", "there is no suite of this name; e2e?"),
        ("suites: [e2e]", "suites: e2e", 11, "services.auth.suites", "must be a list; write it as [one, two]"),
        ("[PORT]", "[MY-VAR]", 12, "services.auth.requires_env[0]", "is no name of an environment variable"),
        ("https://github", "git@github", 13, "services.auth.repository", "must be an https:// address"),
        ("acme-staging\n", "Acme Staging\n", 16, "…staging.project", "must be a Google Cloud project id"),
        ("acme-staging\n", '"123456789012"\n', 16, "…staging.project", "not its number"),
        ("us-central1", "somewhere", 17, "…staging.region", "must be a region; such as us-central1"),
        ("auth-service\n", "auth_service\n", 18, "…staging.cloud_run", "must be the name of a Cloud Run service"),
        ("two-approvers", "always", 19, "…rollback.policy", "must be one-approver, two-approvers or never"),
        ("U0DANA00001", "dana", 19, "…rollback.approvers[1]", "must be the id of a Slack user or user group"),
        ("amount: 500000", "amount: 0", 2, "business.arr.amount", "must be more than 0"),
        ("amount: 500000", "amount: .inf", 2, "business.arr.amount", "must be "),
        ("USD", "dollars", 2, "business.arr.currency", "must be an ISO 4217 code"),
        ("as_of: 2025-09-15", "as_of: September", 2, "business.arr.as_of", "must be a date; write it as 2025-09-15"),
        (", as_of: 2025-09-15", "", 2, "business.arr.as_of", "is missing; add `as_of: …` below business.arr"),
        ("restore_within: 4h", "restore_within: 4", 3, "business.restore_within", "must be a duration; write it as 60s"),
        ("restore_within: 4h", "restore_within: 999999999d999999999h", 3, "business.restore_within", "must be a duration"),
        ("needs: [auth]", "needs: [aut]", 5, "journeys.golden-path.needs[0]", "there is no service of this name; auth?"),
        ("arr_share: 1.0", "arr_share: 80", 5, "journeys.golden-path.arr_share", "must be 0 to 1; 0.8?"),
        ("ratio: 0.05", "ratio: 5", 20, "detection.ratio", "must be more than 0 and at most 1"),
        ("window: 60s", "window: 1s", 20, "detection.window", "must be 10 s to 1 h"),
        ("min_requests: 20", "min_requests: 0", 20, "detection.min_requests", "no request is no proof of health"),
        ("kind: serving_failure", "kind: outage", 22, "severity[0].when.kind", "there is no kind of incident"),
        ("then: P0", "then: critical", 22, "severity[0].then", "must be P0, P1, P2 or P3"),
        ("then: P0", "then: 0", 22, "severity[0].then", "must be P0, P1, P2 or P3"),
        ("guards: [golden-path]", "guards: [golden]", 25, "suites.e2e.guards[0]", "there is no journey of this name"),
        ("pass: 0.9", "pass: 90", 25, "suites.e2e.targets.pass", "must be 0 to 1; 0.9?"),
        ("[U0OLIVE0001]", "[leadership@acme.example]", 27, "roles.leadership[0]", "must be the id of a Slack user"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_its_field_and_the_mend(
    check: Check, old: str, new: str, line: int, field: str, said: str
) -> None:
    report = check(old, new)

    assert report.catalog is None
    [(found_line, found_field, text)] = told(report.errors)
    assert found_line == line
    assert found_field.endswith(field.removeprefix("…"))
    assert said in text


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 0, "is empty"),
        ("# nothing\n", 0, "is empty"),
        ("- services\n", 1, "is not a mapping"),
        ("services:\n\tauth: {}\n", 2, "a tab cannot indent YAML"),
        ("services: {auth: {tier: 1\n", 2, "is not YAML"),
        ("services: {}\n---\nservices: {}\n", 2, "holds more than one document"),
        ("a: &a {b: 1}\nc: *a\n", 2, "aliases are not allowed"),
        ("a: " + "[" * 60 + "]" * 60, 1, "is nested too deeply"),
        ("a: \0\n", 0, "holds a character that YAML does not allow"),
        (b"services:\n  caf\xe9: 1\n", 2, "is not UTF-8"),
        ("a: " + "x" * 1_100_000, 0, "is larger than 1024 KiB"),
        ("a: !!python/object/apply:os.system ['true']\n", 1, "tags such as"),
        ("a: !!timestamp soon\n", 1, "cannot be understood"),
        ("a: !!bool perhaps\n", 1, "cannot be understood"),
        ("a: 2025-13-45\n", 1, "cannot be understood"),
    ],
    ids=[
        "empty",
        "comment",
        "list",
        "tab",
        "open",
        "two",
        "alias",
        "nested",
        "NUL",
        "latin-1",
        "endless",
        "code",
        "time",
        "bool",
        "date",
    ],
)
def test_what_is_no_catalog_at_all_is_told_too(check: Check, text: str | bytes, line: int, said: str) -> None:
    report = check(text=text)

    assert report.catalog is None
    assert any(problem.line == line and said in problem.text for problem in report.errors)


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"there is no such file; mend: .*RELIABILITY_CATALOG"):
        catalog.load(tmp_path / "none.yaml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert catalog.check(tmp_path).errors[0].text.startswith("cannot be read: ")


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(check: Check) -> None:
    text = GOOD.replace("tier: 1\n", "teir: 1\n").replace("us-central1", "here").replace("USD", "usd")
    text = text.replace("guards: [golden-path]", "guards: [golden]")

    report = check(text=text)

    assert [(problem.line, problem.text.split()[0]) for problem in report.errors] == [
        (2, "must"),
        (7, "is"),  # tier is missing
        (8, "is"),  # teir is not known
        (17, "must"),
        (25, "there"),
    ]


def test_a_key_written_twice_is_an_error_because_the_last_would_win_in_silence(check: Check) -> None:
    report = check("    tier: 1\n", "    tier: 1\n    tier: 2\n")

    assert told(report.errors) == [(9, "services.auth.tier", "is written twice, first on line 8; keep one of them")]


def test_a_key_that_yaml_takes_for_something_else_is_told(check: Check) -> None:
    report = check("      staging:", "      no:")

    assert next((problem.line, problem.text) for problem in report.errors) == (15, "the key no is not text")


def test_one_cloud_run_service_is_described_once(check: Check) -> None:
    twin = GOOD[GOOD.index("      staging:") : GOOD.index("detection:")]

    report = check(text=GOOD.replace(twin, twin + twin.replace("staging:", "again:", 1)))

    assert told(report.errors) == [
        (20, "services.auth.deployments.again", "is the same Cloud Run service as auth/staging; keep one of them")
    ]


def test_a_wrong_service_does_not_make_its_mentions_look_wrong(check: Check) -> None:
    service = GOOD[GOOD.index("  auth:") : GOOD.index("detection:")]

    report = check(service, "  auth: everything\n")

    assert told(report.errors) == [(7, "services.auth", "must be a mapping; indent `name: value` lines below it")]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("approvers: [U0AVERY0001, U0DANA00001]", "approvers: []", "nobody can approve a rollback here"),
        (", U0DANA00001]", "]", "two-approvers can never be met by 1 person"),
        (", U0DANA00001]", ", U0AVERY0001]", "two-approvers can never be met by 1 person"),
        ("  - {then: P2}\n", "", "no rule matches everything"),
        ("needs: [auth]", "needs: []", "names no service"),
        ("  - {when:", "  - {then: P1}\n  - {when:", "is never reached"),
    ],
)
def test_what_is_allowed_but_hardly_meant_is_a_warning(check: Check, old: str, new: str, said: str) -> None:
    report = check(old, new)

    assert report.errors == ()
    assert report.catalog is not None
    assert any(said in problem.text for problem in report.warnings)


def test_a_problem_reads_as_one_line_that_editors_can_follow(check: Check) -> None:
    [problem] = check("tier: 1\n", "tier: 9\n").errors

    file, line, rest = str(problem).split(":", 2)
    assert (Path(file).name, line[0]) == ("reliability.yaml", "8")
    assert "must be 1 to 4; mend: 1 = most important" in rest


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_catalog_is_told_about_and_never_breaks_the_reader(check: Check, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(GOOD)))
    end = data.draw(st.integers(start, min(len(GOOD), start + 60)))
    inserted = data.draw(st.text(alphabet="{}[]:,-&*!?|>'\"%@` \n#1aé", max_size=8))

    report = check(text=GOOD[:start] + inserted + GOOD[end:])

    assert (report.catalog is None) == bool(report.errors)


WRONG: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_value_of_any_kind_anywhere_never_breaks_the_reader(check: Check, data: st.DataObject) -> None:
    import yaml

    document = yaml.safe_load(GOOD)
    here = document
    for _ in range(data.draw(st.integers(0, 5))):
        key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
        if not isinstance(here[key], dict | list) or not here[key]:
            break
        here = here[key]
    key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
    here[key] = data.draw(WRONG)

    report = check(text=yaml.safe_dump(document, allow_unicode=True))

    assert (report.catalog is None) == bool(report.errors)
