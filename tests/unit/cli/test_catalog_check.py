"""`reliability catalog check`."""

from __future__ import annotations

from pathlib import Path

EXAMPLE = Path(__file__).parents[3] / "reliability.yaml"


def test_a_good_catalog_shows_what_would_be_watched(run) -> None:
    result = run("catalog", "check", str(EXAMPLE))

    assert result.exit_code == 0
    assert result.stdout.endswith(f"{EXAMPLE}: 0 errors, 0 warnings\n")
    assert "backend/staging" in result.stdout
    assert "two-approvers" in result.stdout


def test_mistakes_are_lines_that_editors_and_ci_can_follow(run, tmp_path: Path) -> None:
    file = tmp_path / "reliability.yaml"
    file.write_text(EXAMPLE.read_text().replace("tier: 2", "teir: 2", 1))

    result = run("catalog", "check")

    line = file.read_text()[: file.read_text().index("teir")].count("\n") + 1
    assert result.exit_code == 2
    assert f"reliability.yaml:{line}: error: services.websocket.teir: is not known here; mend: tier?" in result.stdout
    assert result.stdout.endswith("reliability.yaml: 2 errors, 0 warnings\n")


def test_warnings_are_shown_and_fail_nothing(run, tmp_path: Path) -> None:
    text = EXAMPLE.read_text().replace("approvers: [S0APPROVERS]", "approvers: []", 1)
    (tmp_path / "reliability.yaml").write_text(text)

    result = run("catalog", "check")

    assert result.exit_code == 0
    assert "warning: services.auth.deployments.staging.rollback.approvers: nobody can approve" in result.stdout


def test_the_file_may_be_named_in_the_environment(run) -> None:
    assert run("catalog", "check", RELIABILITY_CATALOG=str(EXAMPLE)).exit_code == 0


def test_what_somebody_wrote_is_not_read_as_markup(run, tmp_path: Path) -> None:
    (tmp_path / "reliability.yaml").write_text('"[red]services[/nothing]": {}\n')

    result = run("catalog", "check")

    assert result.exit_code == 2
    assert "[red]services[/nothing]: is not known here" in result.stdout


def test_a_missing_file_is_a_mistake_like_any_other(run) -> None:
    result = run("catalog", "check", "none.yaml")

    assert result.exit_code == 2
    assert "none.yaml: error: there is no such file" in result.stdout
