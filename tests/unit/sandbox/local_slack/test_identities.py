"""The made-up company and the example catalog know each other."""

from __future__ import annotations

import re
from pathlib import Path

from bot.sandbox import identities

CATALOG = Path(__file__).parents[4] / "reliability.yaml"


def test_the_example_catalog_names_nobody_and_nothing_that_is_not_there() -> None:
    named = set(re.findall(r"\b[UCS]0[A-Z0-9]{9}\b", CATALOG.read_text()))
    there = {each.id for each in (*identities.PEOPLE, *identities.GROUPS, *identities.ROOMS)}

    assert named
    assert named <= there


def test_everybody_in_a_group_is_a_person_of_the_company() -> None:
    people = {person.id for person in identities.PEOPLE}

    assert all(set(group.members) <= people for group in identities.GROUPS)


def test_an_outsider_is_in_no_group() -> None:
    assert not any(identities.OUTSIDER.id in group.members for group in identities.GROUPS)
