"""The project whose tests the sandbox's CI runs: a package, its end-to-end tests, and the ways in which both can go wrong.

Whole, it is a handful of files; a change replaces some of them (None: the file goes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

Change = Mapping[str, str | None]

TESTS: Final = "tests/e2e/staging"
CLIENT: Final = "backend/shop/client.py"
SETTINGS: Final = "pytest.ini"

_PYTHONPATH: Final = "[pytest]\npythonpath = backend\n"
_SIGN_IN: Final = f"{TESTS}/test_sign_in.py"
_FIRST_ANSWER: Final = f"{TESTS}/test_first_answer.py"
_CONVERSATIONS: Final = f"{TESTS}/test_conversations.py"

FILES: Final[Mapping[str, str]] = {
    SETTINGS: _PYTHONPATH,
    "backend/shop/__init__.py": "",
    CLIENT: '''\
"""What the end-to-end tests talk to staging with."""


def sign_in(email: str) -> dict[str, str]:
    return {"account": email.partition("@")[0], "plan": "team"}


def ask(question: str) -> str:
    return f"You asked: {question}"
''',
    _SIGN_IN: """\
import pytest

from shop.client import sign_in


@pytest.mark.parametrize("email", ["ana@acme.example", "bo@acme.example", "cy@acme.example"])
def test_people_can_sign_in(email):
    assert sign_in(email)["account"]


def test_the_plan_is_known():
    assert sign_in("ana@acme.example")["plan"] == "team"
""",
    _FIRST_ANSWER: """\
from shop.client import ask, sign_in


class TestFirstAnswer:
    def test_a_question_gets_an_answer(self):
        assert ask("What does it cost?")

    def test_the_answer_is_about_the_question(self):
        assert "cost" in ask("What does it cost?")

    def test_it_works_right_after_signing_in(self):
        assert sign_in("ana@acme.example")
        assert ask("And now?")
""",
    _CONVERSATIONS: """\
from shop.client import ask


def test_a_second_question_is_answered_too():
    assert ask("one") != ask("two")


def test_an_empty_question_is_answered():
    assert ask("")
""",
}


def moved(path: str, to: str) -> Change:
    """A file of the whole project under another name."""
    return {path: None, to: FILES[path]}


@dataclass(frozen=True)
class Breakage:
    """One way in which a project's tests are not found any more.

    Attributes:
        title: of the commit that did it. broken: what it changed. fix: what mends it, in words. mended: what that changes.
    """

    title: str
    broken: Change
    fix: str
    mended: Change


_BELOW: Final = "services/shop"
_CONFTEST: Final = f"{TESTS}/conftest.py"

NOT_FOUND: Final = (
    Breakage(
        "Move the package to backend/",
        {SETTINGS: None},
        "adds `pythonpath = backend` to pytest.ini",
        {SETTINGS: _PYTHONPATH},
    ),
    Breakage(
        "One directory for each service",
        {path: None for path in FILES if path.startswith(TESTS)}
        | {f"{_BELOW}/{path}": text for path, text in FILES.items() if path.startswith(TESTS)},
        "moves the tests to where the pipeline, which is started above them, looks for them",
        {f"{_BELOW}/{path}": None for path in FILES if path.startswith(TESTS)}
        | {path: text for path, text in FILES.items() if path.startswith(TESTS)},
    ),
    Breakage(
        "Call end-to-end tests checks",
        {SETTINGS: f"{_PYTHONPATH}python_files = check_*.py\n"},
        "takes `python_files = check_*.py` out of pytest.ini: the files are called test_*.py",
        {SETTINGS: _PYTHONPATH},
    ),
    Breakage(
        "Only run what is marked as smoke",
        {SETTINGS: f"{_PYTHONPATH}addopts = -m smoke\nmarkers =\n    smoke: the few that have to pass\n"},
        "takes `-m smoke` out of pytest.ini: no test is marked so",
        {SETTINGS: _PYTHONPATH},
    ),
    Breakage(
        "Share the accounts of all suites",
        {_CONFTEST: "from shop.accounts import accounts  # noqa: F401\n"},
        "adds backend/shop/accounts.py, which was not committed",
        {"backend/shop/accounts.py": 'accounts = ("ana@acme.example", "bo@acme.example", "cy@acme.example")\n'},
    ),
)
"""Each ends with no test collected; the first is the usual one."""

VANISHED: Final = (
    Breakage(
        "Sort the end-to-end tests by journey",
        {
            **moved(_SIGN_IN, f"{TESTS}/sign_in/test_sign_in.py"),
            **moved(_FIRST_ANSWER, f"{TESTS}/answers/first_answer.py"),
        },
        "calls the file test_first_answer.py again",
        {f"{TESTS}/answers/first_answer.py": None, f"{TESTS}/answers/test_first_answer.py": FILES[_FIRST_ANSWER]},
    ),
    Breakage(
        "Plain names for the end-to-end tests",
        {
            **moved(_CONVERSATIONS, f"{TESTS}/test_later_answers.py"),
            _FIRST_ANSWER: FILES[_FIRST_ANSWER].replace("class TestFirstAnswer", "class FirstAnswer"),
        },
        "calls the class TestFirstAnswer again",
        {_FIRST_ANSWER: FILES[_FIRST_ANSWER]},
    ),
    Breakage(
        "Tidy the end-to-end tests",
        {
            **moved(_FIRST_ANSWER, f"{TESTS}/test_answers.py"),
            _SIGN_IN: FILES[_SIGN_IN].replace("def test_", "def check_"),
        },
        "calls the functions test_… again",
        {_SIGN_IN: FILES[_SIGN_IN]},
    ),
)
"""Each leaves a green run with fewer tests, and moves some that are not lost."""

NO_PLAN: Final[Change] = {
    CLIENT: FILES[CLIENT].replace(
        '    return {"account": email.partition("@")[0], "plan": "team"}\n',
        '    token = {"sub": email.partition("@")[0]}\n    return {"account": token["sub"], "plan": token["plan"]}\n',
    )
}
"""Signing in reads the plan from a token that has none."""
