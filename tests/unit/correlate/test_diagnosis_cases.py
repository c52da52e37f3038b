"""Every recorded case in tests/cases/diagnosis/<code>/<case>.json is a test: a new file is a new test.

`expect`: code (null: nothing to be said), and where given title, facts (a subset), rollback_helps, advice_has,
only (true: no second diagnosis, the echoes are gone), evidence_lines.
"""

import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from bot.correlate import Facts, diagnose, from_json, group
from bot.correlate.diagnosis import RULES

CASES = Path(__file__).parents[2] / "cases" / "diagnosis"
FILES = sorted(CASES.glob("*/*.json"))


def read(path):
    case = json.loads(path.read_text(encoding="utf-8"))
    facts = {key: tuple(value) if isinstance(value, list) else value for key, value in case["facts"].items()}
    return case["entries"], Facts(**facts), case["expect"]


def names(path):
    return f"{path.parent.name}-{path.stem}"


@pytest.mark.parametrize("path", FILES, ids=names)
def test_recorded_case_has_the_expected_cause_first(path):
    entries, facts, expect = read(path)

    found = diagnose(entries, facts)

    assert [d.code for d in found][:1] == ([expect["code"]] if expect["code"] else [])
    if not found:
        return
    cause = found[0]
    assert cause.title == expect.get("title", cause.title)
    assert cause.rollback_helps == expect.get("rollback_helps", cause.rollback_helps)
    assert expect.get("facts", {}).items() <= cause.facts.items()
    assert expect.get("advice_has", "") in cause.advice
    assert len(cause.evidence) == expect.get("evidence_lines", len(cause.evidence))
    if expect.get("only"):
        assert [d.code for d in found] == [expect["code"]]


@pytest.mark.parametrize("path", FILES, ids=names)
def test_recorded_case_proves_what_it_says_with_lines_that_were_logged(path):
    entries, facts, _ = read(path)
    logged = "\n".join([from_json(e).text for e in entries] + list(facts.condition_messages))

    for cause in diagnose(entries, facts):
        assert cause.evidence
        assert all((cause.title, cause.explanation, cause.advice))
        assert 0 < cause.confidence <= 1
        first = cause.evidence[0]
        assert first in logged or " in " in first or first.startswith("HTTP ")  # a request has no line of its own


@pytest.mark.parametrize("path", FILES, ids=names)
def test_recorded_case_is_the_same_newest_first_and_with_duplicates(path):
    entries, facts, _ = read(path)

    assert diagnose([*reversed(entries), *entries], facts) == diagnose(entries, facts)


@pytest.mark.parametrize("path", FILES, ids=names)
def test_recorded_case_survives_the_loss_of_every_label(path):
    entries, facts, expect = read(path)
    bare = [{k: v for k, v in e.items() if k not in {"labels", "resource", "receiveTimestamp"}} for e in entries]

    assert [d.code for d in diagnose(bare, facts)][:1] == ([expect["code"]] if expect["code"] else [])


def test_every_rule_has_at_least_two_recorded_cases():
    recorded = Counter(path.parent.name for path in FILES)

    assert {rule.code for rule in RULES if recorded[rule.code] < 2} == set()


@pytest.mark.parametrize("path", FILES, ids=names)
def test_recorded_case_links_to_a_page_over_https(path):
    entries, facts, _ = read(path)

    assert all(cause.documentation.startswith("https://") for cause in diagnose(entries, facts))


@pytest.mark.parametrize("path", FILES, ids=names)
def test_recorded_case_is_the_same_among_unrelated_errors_and_chatter(path):
    entries, facts, expect = read(path)
    noise, _, _ = read(CASES / "nothing" / "platform_chatter.json")
    noise = [e for e in noise if "Listening at" not in e.get("textPayload", "")]  # that would contradict a case
    noise = [dict(e, insertId=f"n{i}", labels={"instanceId": "another"}) for i, e in enumerate(noise)]
    if expect["code"] not in {None, "unknown"}:
        noise.append({"insertId": "n", "severity": "ERROR", "textPayload": "could not render template welcome.html"})
    mixed = [*entries, *noise]
    random.Random(path.stem).shuffle(mixed)

    assert [d.code for d in diagnose(mixed, facts)][:1] == ([expect["code"]] if expect["code"] else [])


def test_rules_explain_only_codes_that_exist():
    codes = {rule.code for rule in RULES}

    assert set().union(*(rule.explains for rule in RULES)) <= codes


def test_a_module_in_the_folder_is_in_the_list_of_rules():
    from importlib import import_module

    folder = Path(import_module("bot.correlate.diagnosis").__file__).parent
    shared = {"__init__", "facts", "rule", "known", "looks", "servers", "endpoints", "unknown"}
    for module in sorted({p.stem for p in folder.glob("*.py")} - shared):
        family = import_module(f"bot.correlate.diagnosis.{module}")
        listed = [rule for name in ("FIRST_RULES", "RULES", "LATE_RULES") for rule in getattr(family, name, ())]
        assert listed, module
        assert set(listed) <= set(RULES), module


def test_the_cause_does_not_depend_on_unrelated_chatter_in_between():
    entries, facts, expect = read(CASES / "missing_module" / "gunicorn_workers_import.json")
    chatter, _, _ = read(CASES / "nothing" / "platform_chatter.json")
    chatter = [dict(e, insertId=f"c{i}", labels={"instanceId": "another"}) for i, e in enumerate(chatter)]
    mixed = [*entries, *chatter]
    random.Random(7).shuffle(mixed)
    mixed.sort(key=lambda e: e["timestamp"])

    assert [d.title for d in diagnose(mixed, facts)] == [expect["title"]]


def test_the_root_cause_is_a_group_and_its_consequences_are_echoes():
    entries, _, _ = read(CASES / "missing_module" / "gunicorn_workers_import.json")

    groups = group(from_json(e) for e in entries)

    causes = [g for g in groups if not g.is_echo]
    assert [g.title for g in causes] == [
        "ModuleNotFoundError: No module named 'app.services.monitoring' · app/main.py:12 in <module>"
    ]
    assert any("Container called exit(3)" in g.title for g in groups if g.is_echo)
    assert any("HTTP 503" in g.title for g in groups if g.is_echo)


def test_the_page_about_diagnosis_lists_every_cause_in_the_order_they_are_looked_for():
    page = (Path(__file__).parents[3] / "docs" / "diagnosis.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)`", page, re.MULTILINE) == [rule.code for rule in RULES]
