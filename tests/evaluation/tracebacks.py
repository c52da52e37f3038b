"""Unhandled exceptions of six languages, each with frames, as the language's runtime prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .words import ATTRIBUTES, MODULES, NOUNS, VERBS, Wording


def exception(rng: Random, language: str) -> Wording:
    """An unhandled exception with its frames, as the language prints it; its code is the same at each rendering."""
    module, verb, noun, attribute = (rng.choice(words) for words in (MODULES, VERBS, NOUNS, ATTRIBUTES))
    code = _Code(module, verb, noun, attribute, rng.randint(12, 420), rng.randint(12, 420))
    return Wording(_PRINTED.get(language, _ruby)(rng, code), rng.choice(("ERROR", "ERROR", "CRITICAL")))


@dataclass(frozen=True, slots=True)
class _Code:
    """Where an exception is raised: names to build frames of, and two line numbers."""

    module: str
    verb: str
    noun: str
    attribute: str
    line: int
    outer: int


def _python(rng: Random, code: _Code) -> str:
    raised = rng.choice(
        (
            f"KeyError: '{code.attribute}'",
            f"AttributeError: 'NoneType' object has no attribute '{code.attribute}'",
            f"TypeError: {code.verb}_{code.noun}() got an unexpected keyword argument '{code.attribute}'",
            f"ValueError: invalid literal for int() with base 10: '{code.attribute}-<n>'",
            "ZeroDivisionError: division by zero",
            (
                f"pydantic_core._pydantic_core.ValidationError: 1 validation error for {code.noun.title()}\n{code.attribute}\n"
                "  Field required [type=missing, input_value={'id': '<id>'}, input_type=dict]"
            ),
        )
    )
    return (
        f'Traceback (most recent call last):\n  File "/app/{code.module}/views.py", line {code.line}, in {code.verb}_{code.noun}\n'
        f"    return {code.module}.{code.verb}({code.noun})\n"
        f'  File "/app/{code.module}/service.py", line {code.outer}, in {code.verb}\n    value = {code.noun}.{code.attribute}\n{raised}'
    )


def _node(rng: Random, code: _Code) -> str:
    raised = rng.choice(
        (
            f"TypeError: Cannot read properties of undefined (reading '{code.attribute}')",
            f"ReferenceError: {code.attribute} is not defined",
            f"RangeError: Invalid {code.noun} length",
        )
    )
    return (
        f"{raised}\n    at {code.verb}{code.noun.title()} (/app/src/{code.module}.js:{code.line}:17)\n"
        f"    at async /app/src/routes/{code.noun}.js:{code.outer}:5\n"
        "    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"
    )


def _java(rng: Random, code: _Code) -> str:
    owner = f"{code.noun.title()}Service"
    raised = rng.choice(
        (
            f'java.lang.NullPointerException: Cannot invoke "String.length()" because "{code.attribute}" is null',
            f"java.lang.IllegalStateException: {code.noun} <id> has no {code.attribute}",
            f"java.util.NoSuchElementException: No value present for {code.attribute}",
        )
    )
    return (
        f"{raised}\n\tat com.acme.{code.module}.{owner}.{code.verb}({owner}.java:{code.line})"
        f"\n\tat com.acme.{code.module}.{code.noun.title()}Controller.post({code.noun.title()}Controller.java:{code.outer})"
        "\n\tat java.base/java.lang.Thread.run(Thread.java:840)"
    )


def _go(rng: Random, code: _Code) -> str:
    raised = rng.choice(
        (
            "panic: runtime error: invalid memory address or nil pointer dereference",
            f"panic: runtime error: index out of range [{rng.randint(1, 9)}] with length {rng.randint(0, 1)}",
            f"panic: assignment to entry in nil map ({code.attribute})",
        )
    )
    return (
        f"{raised}\n\ngoroutine <n> [running]:\nmain.{code.verb}{code.noun.title()}(0xc000<hex>)"
        f"\n\t/app/{code.module}.go:{code.line} +0x1d4"
    )


def _dotnet(_: Random, code: _Code) -> str:
    where = f"Acme.{code.module.title()}.{code.verb.title()}{code.noun.title()}(String {code.attribute})"
    return (
        "System.NullReferenceException: Object reference not set to an instance of an object.\n"
        f"   at {where} in /src/{code.module}.cs:line {code.line}"
    )


def _ruby(_: Random, code: _Code) -> str:
    return (
        f"NoMethodError (undefined method `{code.attribute}' for nil:NilClass):\n"
        f"app/services/{code.module}.rb:{code.line}:in `{code.verb}_{code.noun}'\n"
        f"app/controllers/{code.noun}s_controller.rb:{code.outer}:in `create'"
    )


_PRINTED: dict[str, Callable[[Random, _Code], str]] = {
    "python": _python,
    "node": _node,
    "java": _java,
    "go": _go,
    "dotnet": _dotnet,
    "ruby": _ruby,
}
