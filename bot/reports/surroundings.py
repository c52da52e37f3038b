"""What the folder where pytest ran looks like: who runs it himself can say, and then silence has a cause too.

`no tests collected` alone does not tell a wrong folder from names that do not match; the files beside it do.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import PurePosixPath

_MAX_SOURCE = 400_000


@dataclass(frozen=True)
class Surroundings:
    """Attributes:
    files: Python files of the project, relative to its root, `/` between folders; at most some thousands.
    directory: where pytest ran, relative to the same root; "" is the root.
    sources: text of those files that may be tests (it may be of some only).
    python_files, python_classes, python_functions: patterns in force, pytest's defaults if not given.
    """

    files: Sequence[str] = ()
    directory: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)
    python_files: Sequence[str] = ("test_*.py", "*_test.py")
    python_classes: Sequence[str] = ("Test",)
    python_functions: Sequence[str] = ("test",)

    def home_of(self, package: str) -> str | None:
        """The folder from which `import package` works: "src"; "" is the root; None when the project has no such package."""
        homes = set()
        for file in self.files:
            parts = PurePosixPath(file).parts
            homes |= {"/".join(parts[:at]) for at, part in enumerate(parts) if part in {package, f"{package}.py"}}
        return min(homes, key=lambda home: (home.count("/") + bool(home), home)) if homes else None

    def tests_elsewhere(self) -> list[str]:
        """Files named like tests that are not below where pytest ran."""
        inside = f"{self.directory.rstrip('/')}/" if self.directory else ""
        return [file for file in self.files if self._named_as_test(file) and not file.startswith(inside)]

    def misnamed(self) -> list[tuple[str, str]]:
        """What looks like a test and is not named as one: (place, option that it does not match)."""
        found = []
        for file, source in self.sources.items():
            inner = _tests_in(source, self)
            if not self._named_as_test(file):
                found += [(file, "python_files")] if inner.matching else []
            elif not inner.matching:
                found += [(f"{file}::{name}", option) for name, option in inner.others]
        return found

    def _named_as_test(self, file: str) -> bool:
        name = PurePosixPath(file).name
        return any(fnmatch(name, pattern) or fnmatch(file, pattern) for pattern in self.python_files)


@dataclass(frozen=True)
class _Inner:
    matching: bool
    others: tuple[tuple[str, str], ...]


def _tests_in(source: str, rules: Surroundings) -> _Inner:
    """What a module has: anything that matches, and classes or functions with assertions that do not."""
    try:
        body = ast.parse(source[:_MAX_SOURCE]).body
    except (SyntaxError, ValueError, RecursionError):
        return _Inner(matching=False, others=())
    matching, others = False, []
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if _matches(node.name, rules.python_functions):
                matching = True
            elif _asserts(node):
                others.append((node.name, "python_functions"))
        elif isinstance(node, ast.ClassDef):
            methods = [inner for inner in node.body if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef)]
            named = [inner for inner in methods if _matches(inner.name, rules.python_functions)]
            if named and (_matches(node.name, rules.python_classes) or _is_unittest(node)):
                matching = True
            elif named:
                others.append((node.name, "python_classes"))
            elif _matches(node.name, rules.python_classes):
                others += [(f"{node.name}::{inner.name}", "python_functions") for inner in methods if _asserts(inner)]
    return _Inner(matching, tuple(others))


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(name.startswith(pattern) or fnmatch(name, pattern) for pattern in patterns)


def _is_unittest(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).endswith("TestCase") for base in node.bases)


def _asserts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(isinstance(inner, ast.Assert) for inner in ast.walk(function))
