"""The list of scenarios."""

from pathlib import Path

import bot.sandbox.scenarios
from bot.sandbox.scenarios import SCENARIOS

SUPPORT = {"scenario", "start", "traffic", "releases", "apps", "past", "put_back", "reports"}


def test_every_scenario_in_the_folder_is_in_the_list():
    folder = Path(bot.sandbox.scenarios.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if path.stem != "__init__"}

    assert {scenario.name.replace("-", "_") for scenario in SCENARIOS} == modules - SUPPORT


def test_each_has_words_for_a_person():
    assert all(scenario.title and len(scenario.story) > 60 for scenario in SCENARIOS)


def test_the_flagship_comes_first():
    assert SCENARIOS[0].name == "bad-release"
