"""Who wrote a JUnit file, and what its test cases are called: everybody's JUnit XML is a little different.

A dialect is told by marks that its writer leaves (a suite's name, a property, an attribute); where there are none the
file is read the same way, only its node ids are plainer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PYTEST = "pytest"

_ROOT_NAMES = {"pytest tests": PYTEST, "jest tests": "jest", "Mocha Tests": "mocha", "nextest-run": "cargo-nextest"}
_PROPERTIES = {
    "go.version": "gotestsum",
    "java.version": "surefire",
    "java.specification.version": "surefire",
    "random-seed": "catch2",
    "rng-seed": "catch2",
}
_TEST_MODULE = re.compile(r"(?:^|_)tests?(?:_|$)|^conftest$")


def of_suite(tag: str, attributes: Mapping[str, str]) -> str:
    """The dialect that a `testsuites` or `testsuite` element shows, "" when it shows none."""
    name = attributes.get("name", "")
    if tag == "testsuites" or name in _ROOT_NAMES:
        return _ROOT_NAMES.get(name, "")
    if name == "pytest":
        return PYTEST
    if any(key.endswith("noNamespaceSchemaLocation") and "surefire" in value for key, value in attributes.items()):
        return "surefire"
    return "dotnet" if name.lower().endswith(".dll") else ""


def of_property(name: str) -> str:
    return _PROPERTIES.get(name, "")


def of_case(attributes: Mapping[str, str]) -> str:
    """The dialect that a `testcase` element shows, "" when it shows none."""
    if "assertions" in attributes and ("class" in attributes or "file" in attributes):
        return "phpunit"
    if attributes.get("classname", "").endswith(".global") and "status" in attributes:
        return "catch2"
    name = attributes.get("name", "")
    return "gradle" if name.endswith("()") and "." in attributes.get("classname", "") else ""


def node_id(dialect: str, attributes: Mapping[str, str]) -> str:
    """The name by which one finds the test again; "(no name)" where the file has none.

    pytest's `classname="tests.test_x.TestA" name="test_b[1]"` becomes `tests/test_x.py::TestA::test_b[1]`; the others
    keep their own words: `classname::name`, or `file::name` where there is no class.
    """
    name = attributes.get("name", "").strip()
    group = (attributes.get("classname") or attributes.get("class") or "").strip()
    file = attributes.get("file", "").strip()
    if dialect == PYTEST:
        return _pytest_node(group, name, file)
    if dialect == "dotnet" and group and name.startswith(f"{group}."):
        name = name[len(group) + 1 :]
    return "::".join(part for part in (group or file, name) if part) or "(no name)"


def _pytest_node(group: str, name: str, file: str) -> str:
    if not group:  # a module that could not be collected, told by its dotted name
        return file or _path(name)
    parts = group.split(".")
    if file:
        module = file.removesuffix(".py").replace("\\", "/").split("/")
        classes = parts[len(module) :] if parts[: len(module)] == module else _classes(parts)
        return "::".join([file.replace("\\", "/"), *classes, name])
    classes = _classes(parts)
    path = "/".join(parts[: len(parts) - len(classes)])
    return "::".join([f"{path}.py", *classes, name])


def _classes(parts: list[str]) -> list[str]:
    """The classes at the end of a dotted name: what follows the test module, or else what is capitalised."""
    for position in range(len(parts) - 1, -1, -1):
        if _TEST_MODULE.search(parts[position]):
            return parts[position + 1 :]
    first = next((position for position, part in enumerate(parts) if position and part[:1].isupper()), len(parts))
    return parts[first:]


def _path(dotted: str) -> str:
    if "/" in dotted or dotted.endswith(".py") or not dotted:
        return dotted or "(no name)"
    return f"{dotted.replace('.', '/')}.py"


def lost_module(dialect: str, attributes: Mapping[str, str], kind: str, message: str, text: str) -> bool:
    """Whether a broken case stands for a module whose tests were never found, rather than for a test."""
    if kind in {"error", "failure"} and message.strip() == "collection failure":
        return True  # pytest, under whatever suite name
    if attributes.get("classname") == "Test suite failed to run":
        return True  # jest-junit with reportTestSuiteErrors
    return dialect == "gotestsum" and ("[build failed]" in text or "[setup failed]" in text)


def left_out(kind: str, message: str) -> bool:
    """Whether a skipped case stands for a whole module that pytest skipped at import."""
    return kind == "skipped" and message.strip() == "collection skipped"
