"""Verdict and cause of reports that a pytest of another version, another system or another day wrote."""

from __future__ import annotations

import io

import pytest

from bot.model.test_run import RunJudgement
from bot.reports import judge, read


def judged(text: str, exit_code: int | None = None) -> RunJudgement:
    return judge(read(io.BytesIO(text.encode())), exit_code)


def lost(module: str, error: str) -> str:
    """A module that could not be collected, as the output tells it."""
    return f"{f' ERROR collecting {module} ':_^80}\n{error}\n"


def output(*parts: str, last: str = "no tests collected, 1 error in 0.10s") -> str:
    return "\n==== ERRORS ====\n" + "".join(parts) + f"{last}\n"


def imports(module: str, name: str) -> str:
    return f"tests/test_a.py:1: in <module>\n    import {module}\nE   ModuleNotFoundError: No module named '{name}'"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (imports("requests", "requests"), "missing_dependency"),
        (imports("yaml", "yaml"), "missing_dependency"),
        ("E   ImportError: No module named requests", "missing_dependency"),
        (imports("app.main", "app"), "pythonpath_missing"),
        (imports("acme.shop.cart", "acme"), "pythonpath_missing"),
        (imports("app.services.monitoring", "app.services.monitoring"), "missing_module"),
        ("E   ImportError: cannot import name 'gone' from 'app.core' (/srv/app/core.py)", "import_error"),
        ("E   ImportError: cannot import name 'Gone'", "import_error"),
        ('E     File "/srv/tests/test_a.py", line 3\nE       x = = 1\nE   IndentationError: unexpected indent', "syntax_error"),
        ("tests/conftest.py:3: in <module>\n    boom()\nE   KeyError: 'DATABASE_URL'", "conftest_error"),
        ("E   _pytest.pathlib.ImportPathMismatchError: x\nimport file mismatch:\nimported module 'test_a' has this __file__ attribute:\n  /a/test_a.py\nwhich is not the same as the test file we want to collect:\n  /b/test_a.py", "duplicate_basename"),
        ("E   Failed: 'slow' not found in `markers` configuration option", "unknown_marker"),
        ("E   pytest.PytestUnknownMarkWarning: Unknown pytest.mark.slow - is this a typo?", "unknown_marker"),
        ("tests/test_a.py:9: in <module>\n    BASE = os.environ['BASE']\nE   KeyError: 'BASE'", "error_at_import"),
    ],
)  # fmt: skip
def test_the_error_of_a_lost_module_names_its_cause(error: str, code: str) -> None:
    judgement = judged(output(lost("tests/test_a.py", error)), 2)

    assert judgement.verdict == "discovery_failure"
    assert [cause.code for cause in judgement.causes] == [code]
    assert "\n" not in judgement.causes[0].proof
    assert judgement.causes[0].fix


def test_a_circular_import_is_called_one() -> None:
    error = "E   ImportError: cannot import name 'a' from partially initialized module 'app.b' (most likely due to a circular import)"

    (cause,) = judged(output(lost("tests/test_a.py", error))).causes

    assert cause.title == "cannot import a from app.b (circular import)"
    assert cause.fix.startswith("break the circular import")


def test_the_culprit_is_the_line_of_ours_nearest_to_the_raise() -> None:
    error = (
        "tests/test_a.py:1: in <module>\n    from app import main\napp/main.py:4: in <module>\n    import yaml_tools\n"
        "/usr/lib/python3/site-packages/yaml_tools/__init__.py:1: in <module>\n    import yaml\n"
        "E   ModuleNotFoundError: No module named 'yaml'"
    )

    assert judged(output(lost("tests/test_a.py", error))).causes[0].culprit == "app/main.py:4"


def test_the_cause_that_lost_most_modules_comes_first_and_the_others_are_counted() -> None:
    several = [lost(f"tests/test_{at}.py", imports("app.main", "app")) for at in range(12)]
    judgement = judged(
        output(lost("tests/test_z.py", imports("yaml", "yaml")), *several, last="no tests collected, 13 errors in 1s")
    )

    assert [(cause.code, cause.lost) for cause in judgement.causes] == [
        ("pythonpath_missing", 12),
        ("missing_dependency", 1),
    ]
    assert "13 modules lost" in judgement.reason
    assert "another cause" in judgement.reason


def test_errors_of_collection_count_although_xdist_answers_1_and_other_tests_passed() -> None:
    text = output(lost("tests/test_a.py", imports("yaml", "yaml")), last="=== 40 passed, 1 error in 3.10s ===")
    judgement = judged(text, 1)

    assert judgement.verdict == "discovery_failure"
    assert "PyYAML" in judgement.reason


def test_an_output_that_ends_without_its_last_line_is_not_green() -> None:
    assert judged("tests/test_a.py::test_a\ntests/test_a.py::test_b\n").verdict == "discovery_failure"


def test_a_run_that_stopped_at_its_first_failure_has_failed() -> None:
    text = (
        "==== short test summary info ====\nFAILED tests/test_a.py::test_a - assert 0\n"
        "!!!!!!!! stopping after 1 failures !!!!!!!!\n==== 1 failed, 3 passed in 0.30s ====\n"
    )

    judgement = judged(text, 1)

    assert (judgement.verdict, judgement.causes) == ("failed", ())
    assert "first: tests/test_a.py::test_a: assert 0" in judgement.reason


def test_results_of_a_verbose_run_are_cases() -> None:
    text = (
        "==== test session starts ====\ncollected 3 items\n\ntests/test_a.py::test_a PASSED      [ 33%]\n"
        "tests/test_a.py::test_b[x y] FAILED [ 66%]\ntests/test_a.py::test_c SKIPPED (later) [100%]\n"
        "==== 1 failed, 1 passed, 1 skipped in 0.30s ====\n"
    )

    report = read(io.BytesIO(text.encode()))

    assert [(case.node_id, case.outcome.value) for case in report.cases] == [
        ("tests/test_a.py::test_a", "passed"),
        ("tests/test_a.py::test_b[x y]", "failed"),
        ("tests/test_a.py::test_c", "skipped"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '<testsuite name="pytest"><testcase name="a"><skipped message="async def function and no async plugin installed (see warnings)"/></testcase></testsuite>',
        "==== warnings summary ====\ntests/test_a.py::test_a\n  /x/python.py:1: PytestUnhandledCoroutineWarning: async def functions are not natively supported and have been skipped.\n==== 1 skipped, 1 warning in 0.1s ====\n",
    ],
    ids=["junit", "output"],
)
def test_async_tests_that_an_older_pytest_skipped_were_not_run(text: str) -> None:
    judgement = judged(text, 0)

    assert judgement.verdict == "discovery_failure"
    assert [cause.code for cause in judgement.causes] == ["async_without_plugin"]


def test_a_suite_skipped_for_other_reasons_is_green_and_says_so() -> None:
    judgement = judged(
        '<testsuite name="pytest"><testcase name="a"><skipped message="only on Windows"/></testcase></testsuite>'
    )

    assert (judgement.verdict, judgement.reason) == ("passed", "nothing ran: 1 test skipped")


def test_a_list_that_is_shorter_than_its_own_total_says_so() -> None:
    judgement = judged("tests/test_a.py::test_a\n\n9 tests collected in 0.1s\n")

    assert "9 tests (counted 1)" in judgement.reason


def test_failures_told_outside_of_any_test_are_not_green() -> None:
    assert judged('<testsuite><error message="no browser"/><testcase name="a"/></testsuite>').verdict == "failed"
