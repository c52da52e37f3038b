"""A real pytest, in sample projects broken in every classical way: each cause is named, with its proof and its fix."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.model.test_run import RunJudgement, RunVerdict
from bot.reports import judge, read
from bot.reports.surroundings import Surroundings

Project = Callable[..., tuple[RunJudgement, int]]

TEST = "def test_adds():\n    assert 1 + 1 == 2\n"


@pytest.fixture
def broken(tmp_path: Path) -> Project:
    """broken({file: text}, *arguments, directory="", looked=False) → (judgement, exit code) of pytest's output there."""

    def run(
        files: dict[str, str], *arguments: str, directory: str = "", looked: bool = False, junit: bool = False
    ) -> tuple[RunJudgement, int]:
        root = tmp_path / "project"
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--rootdir={root / directory}"]
        report = tmp_path / "report.xml"
        ran = subprocess.run(
            [*command, *([f"--junitxml={report}"] if junit else []), *arguments],
            cwd=root / directory,
            env={"PATH": os.environ["PATH"], "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        sources = {name: text for name, text in files.items() if name.endswith(".py")}
        surroundings = Surroundings(files=tuple(sources), directory=directory, sources=sources) if looked else None
        body = report.read_bytes() if junit else ran.stdout
        return judge(read(io.BytesIO(body)), ran.returncode, surroundings), ran.returncode

    return run


def codes(judgement: RunJudgement) -> list[str]:
    return [cause.code for cause in judgement.causes]


@pytest.mark.parametrize("junit", [False, True], ids=["output", "junit"])
def test_one_import_error_behind_many_modules_is_told_once(broken: Project, junit: bool) -> None:
    importing = "from app.cart import add\n" + TEST
    files = {
        "app/__init__.py": "",
        "app/cart.py": "from app.money import rounded\n",
        "app/money.py": "",
        "conftest.py": "",
    }
    files |= {f"tests/test_{name}.py": importing for name in ("a", "b", "c")}

    judgement, code = broken(files, *(() if junit else ("--collect-only", "-q")), junit=junit)

    assert (judgement.verdict, code) == (RunVerdict.DISCOVERY_FAILURE, 2)
    (cause,) = judgement.causes
    assert (cause.code, cause.lost, cause.culprit) == ("import_error", 3, "app/cart.py:1")
    assert cause.facts == {"module": "app.money", "name": "rounded"}
    assert "cannot import name 'rounded' from 'app.money'" in cause.proof
    assert "3 modules lost" in judgement.reason
    assert "app/cart.py:1" in judgement.reason


def test_a_module_missing_from_a_package_that_is_there(broken: Project) -> None:
    files = {"app/__init__.py": "", "conftest.py": "", "tests/test_a.py": "import app.services\n" + TEST}

    judgement, _ = broken(files, "--collect-only", "-q")

    assert codes(judgement) == ["missing_module"]
    assert judgement.causes[0].facts["module"] == "app.services"
    assert judgement.causes[0].culprit == "tests/test_a.py:1"


def test_a_path_that_is_not_there_is_a_wrong_working_directory(broken: Project) -> None:
    judgement, code = broken({"tests/e2e/test_a.py": TEST}, "--collect-only", "-q", "tests/e2e", directory="tests")

    assert (codes(judgement), code) == (["wrong_directory"], 4)
    assert "tests/e2e does not exist" in judgement.reason
    assert judgement.causes[0].proof == "ERROR: file or directory not found: tests/e2e"


def test_a_folder_without_tests_beside_one_that_has_them_is_a_wrong_working_directory(broken: Project) -> None:
    files = {"app/cart.py": "", "tests/test_a.py": TEST}

    judgement, code = broken(files, directory="app", looked=True)

    assert (codes(judgement), code) == (["wrong_directory"], 5)
    assert "pytest ran in app" in judgement.reason
    assert "tests/test_a.py" in judgement.reason


def test_a_project_package_that_is_not_on_the_path(broken: Project) -> None:
    files = {"src/shop/__init__.py": "", "tests/test_a.py": "from shop import cart\n" + TEST}

    judgement, _ = broken(files, "--collect-only", "-q", looked=True)

    assert codes(judgement) == ["pythonpath_missing"]
    assert "pythonpath = src" in judgement.causes[0].fix


def test_a_conventional_package_name_is_the_projects_own_even_when_nobody_looked(broken: Project) -> None:
    judgement, _ = broken({"tests/test_a.py": "from app.core import settings\n" + TEST}, "--collect-only", "-q")

    assert codes(judgement) == ["pythonpath_missing"]
    assert "PYTHONPATH" in judgement.reason


def test_a_library_that_is_not_installed(broken: Project) -> None:
    judgement, _ = broken({"tests/test_a.py": "import peewee\n" + TEST}, "--collect-only", "-q")

    assert codes(judgement) == ["missing_dependency"]
    assert "dependency peewee is not installed" in judgement.reason


def test_testpaths_that_match_nothing(broken: Project) -> None:
    files = {"pytest.ini": "[pytest]\ntestpaths = tests/e2e\n", "checks/a.py": TEST}

    judgement, code = broken(files)

    assert (codes(judgement), code) == (["testpaths_match_nothing"], 5)
    assert "testpaths" in judgement.causes[0].proof


@pytest.mark.parametrize(
    ("files", "option"),
    [
        ({"tests/cart.py": TEST}, "python_files"),
        ({"tests/test_a.py": "class Cart:\n    def test_adds(self):\n        assert True\n"}, "python_classes"),
        ({"tests/test_a.py": "def check_adds():\n    assert True\n"}, "python_functions"),
    ],
    ids=["files", "classes", "functions"],
)
def test_names_that_do_not_match(broken: Project, files: dict[str, str], option: str) -> None:
    judgement, code = broken(files, "--collect-only", "-q", looked=True)

    assert (codes(judgement), code) == (["names_do_not_match"], 5)
    assert judgement.causes[0].facts["option"] == option


def test_a_named_test_that_does_not_exist(broken: Project) -> None:
    judgement, code = broken({"tests/test_a.py": TEST}, "tests/test_a.py::test_gone")

    assert (codes(judgement), code) == (["no_such_test"], 4)


def test_a_class_with_a_constructor(broken: Project) -> None:
    source = "class TestCart:\n    def __init__(self):\n        self.n = 0\n\n    def test_adds(self):\n        assert True\n"

    judgement, code = broken({"tests/test_a.py": source}, "--collect-only", "-q")

    assert (codes(judgement), code) == (["class_with_init"], 5)
    assert judgement.causes[0].facts == {"class": "TestCart"}


@pytest.mark.parametrize("junit", [False, True], ids=["output", "junit"])
def test_async_tests_without_a_plugin(broken: Project, junit: bool) -> None:
    judgement, _ = broken({"tests/test_a.py": "async def test_adds():\n    assert True\n"}, junit=junit)

    assert judgement.verdict is not RunVerdict.PASSED
    assert codes(judgement) == ["async_without_plugin"]
    assert "pytest-asyncio" in judgement.reason


def test_async_methods_of_a_plain_testcase_pass_without_being_run_and_that_is_said(broken: Project) -> None:
    source = (
        "import unittest\nclass CartTest(unittest.TestCase):\n    async def test_adds(self):\n        assert False\n"
    )

    judgement, _ = broken({"tests/test_a.py": source})

    assert codes(judgement) == ["async_without_plugin"]
    assert "IsolatedAsyncioTestCase" in judgement.reason


@pytest.mark.parametrize("arguments", [("-k", "nothing"), ("-m", "slow")], ids=["k", "m"])
def test_everything_deselected(broken: Project, arguments: tuple[str, ...]) -> None:
    judgement, code = broken({"tests/test_a.py": TEST}, "--collect-only", "-q", *arguments)

    assert (codes(judgement), code) == (["deselected"], 5)
    assert "1 deselected" in judgement.causes[0].proof


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import peewee\n", "dependency peewee is not installed"),
        ("raise RuntimeError('no database')\n", "RuntimeError: no database"),
        ("def broken(:\n", "syntax error"),
    ],
    ids=["import", "raise", "syntax"],
)
def test_a_conftest_that_cannot_be_imported(broken: Project, source: str, said: str) -> None:
    judgement, _ = broken({"tests/conftest.py": source, "tests/test_a.py": TEST}, "--collect-only", "-q", "tests")

    assert judgement.verdict is RunVerdict.DISCOVERY_FAILURE
    assert codes(judgement)[0] == "conftest_error"
    assert said in judgement.causes[0].title
    assert "conftest.py" in judgement.causes[0].title


def test_a_syntax_error(broken: Project) -> None:
    judgement, _ = broken({"tests/test_a.py": "def test_adds(:\n    pass\n"}, "--collect-only", "-q")

    assert codes(judgement) == ["syntax_error"]
    assert judgement.causes[0].culprit.endswith("tests/test_a.py:1")


def test_two_modules_of_the_same_name(broken: Project) -> None:
    judgement, _ = broken({"a/test_cart.py": TEST, "b/test_cart.py": TEST}, "--collect-only", "-q")

    assert codes(judgement) == ["duplicate_basename"]
    assert judgement.causes[0].facts["module"] == "test_cart"


def test_a_marker_that_nobody_registered(broken: Project) -> None:
    source = f"import pytest\n\n@pytest.mark.slwo\n{TEST}"

    judgement, _ = broken({"tests/test_a.py": source}, "--collect-only", "-q", "--strict-markers")

    assert codes(judgement) == ["unknown_marker"]
    assert judgement.causes[0].facts == {"marker": "slwo"}


def test_an_option_that_pytest_does_not_know(broken: Project) -> None:
    judgement, code = broken({"tests/test_a.py": TEST}, "--cov=app")

    assert (codes(judgement), code) == (["usage_error"], 4)
    assert "--cov=app" in judgement.reason


def test_an_internal_error(broken: Project) -> None:
    conftest = "def pytest_collection_modifyitems(items):\n    1 / 0\n"

    judgement, code = broken({"conftest.py": conftest, "test_a.py": TEST}, "--collect-only", "-q")

    assert (codes(judgement), code) == (["internal_error"], 3)
    assert "ZeroDivisionError" in judgement.reason


def test_an_aborted_session(broken: Project) -> None:
    judgement, code = broken({"test_a.py": "def test_adds():\n    raise KeyboardInterrupt\n"})

    assert (codes(judgement), code) == (["interrupted"], 2)
    assert judgement.verdict is RunVerdict.DISCOVERY_FAILURE


def test_nothing_at_all_says_what_to_look_at(broken: Project) -> None:
    judgement, code = broken({"app/cart.py": ""})

    assert (codes(judgement), code) == (["nothing_matched"], 5)
    assert "rootdir" in judgement.reason
    assert "python_files" in judgement.reason


def test_a_project_that_is_fine_is_green(broken: Project) -> None:
    judgement, code = broken({"tests/test_a.py": TEST}, looked=True)

    assert (judgement.verdict, judgement.causes, code) == (RunVerdict.PASSED, (), 0)


@pytest.mark.parametrize(
    ("source", "verdict"),
    [
        ("def test_a():\n    assert False\n", RunVerdict.FAILED),
        (
            "import unittest\nclass T(unittest.TestCase):\n    def test_a(self):\n        for n in range(3):\n            with self.subTest(n=n):\n                pass\n",
            RunVerdict.PASSED,
        ),
    ],
    ids=["failing", "subtests"],
)
def test_a_run_is_judged_by_its_results(broken: Project, source: str, verdict: RunVerdict) -> None:
    assert broken({"test_a.py": source}, junit=True)[0].verdict is verdict
