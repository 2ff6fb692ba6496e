"""Names, owners, near matches."""

from __future__ import annotations

from importlib.metadata import version

import pytest
from pyspeedup.core import DuplicateNameError, Owner, Registry, UnknownNameError

SPAM = Owner("spam", "pyspeedup-spam", "1.0", "entry point")
EGGS = Owner("eggs", None, None, "script")


@pytest.fixture
def colours():
    registry = Registry("colour", hints={"gold": "pip install treasure"})
    registry.add("red", 0xFF0000, SPAM)
    registry.add("green", 0x00FF00, EGGS)
    return registry


def test_a_name_stands_for_what_was_registered(colours):
    assert colours.get("red") == 0xFF0000


def test_registrations_are_listed_by_name_with_their_owners(colours):
    assert [(found.name, found.owner) for found in colours] == [("green", EGGS), ("red", SPAM)]


def test_an_unknown_name_is_answered_with_near_matches(colours):
    with pytest.raises(UnknownNameError, match="no colour is called 'gren'; did you mean 'green'"):
        colours.get("gren")


def test_an_unknown_name_that_resembles_nothing_is_answered_with_all(colours):
    with pytest.raises(LookupError, match="known: 'green', 'red'"):
        colours.get("ultraviolet")


def test_an_unknown_name_in_an_empty_registry_says_so():
    with pytest.raises(UnknownNameError, match="known: none"):
        Registry("colour").get("red")


def test_a_name_of_an_optional_install_is_answered_with_its_command(colours):
    with pytest.raises(UnknownNameError, match="'gold'; it comes with: pip install treasure"):
        colours.get("gold")


def test_what_is_installed_needs_no_hint(colours):
    colours.add("gold", 0xFFD700, SPAM)
    assert colours.get("gold") == 0xFFD700


def test_a_name_that_is_no_text_is_a_type_error(colours):
    with pytest.raises(TypeError, match="the name of a colour is a str, not 5"):
        colours.get(5)


def test_a_name_claimed_twice_names_both_owners_when_it_is_looked_up(colours):
    colours.add("red", 0xEE0000, EGGS)
    with pytest.raises(DuplicateNameError) as caught:
        colours.get("red")
    assert "plugin 'spam' (pyspeedup-spam 1.0)" in str(caught.value)
    assert "plugin 'eggs' (registered by a script)" in str(caught.value)
    assert colours.get("green") == 0x00FF00


def test_a_name_claimed_twice_is_one_again_when_one_claim_is_dropped(colours):
    colours.add("red", 0xEE0000, EGGS)
    colours.discard(SPAM)
    assert colours.get("red") == 0xEE0000


def test_dropping_an_owner_drops_nothing_of_others(colours):
    colours.discard(SPAM)
    assert [found.name for found in colours] == ["green"]


def test_the_version_of_an_owner_is_looked_up_when_it_was_not_given():
    assert Owner("core", "pyspeedup-core", None, "built-in").version == version("pyspeedup-core")
    assert EGGS.version is None


def test_owners_are_equal_whoever_knows_the_version():
    built_in = Owner("core", "pyspeedup-core", None, "built-in")
    assert {built_in: 1}[Owner("core", "pyspeedup-core", "0.0", "built-in")] == 1
    assert built_in != Owner("core", "pyspeedup-core", None, "entry point")
    assert built_in != "core"
    assert eval(repr(SPAM)) == SPAM


def test_a_value_is_found_by_identity(colours):
    value = object()
    colours.add("blue", value, SPAM)
    assert colours.name_of(value) == "blue"
    assert colours.name_of(object()) is None


def test_a_value_under_a_name_claimed_twice_has_no_name(colours):
    value = object()
    colours.add("red", value, EGGS)
    assert colours.name_of(value) is None


def test_installed_plugins_are_loaded_only_for_names_that_are_not_built_in():
    loaded = []
    registry = Registry(
        "colour",
        load_builtin=lambda: (
            loaded.append("built-in") or registry.add("red", 1, SPAM) if not loaded else None
        ),
        load_installed=lambda: loaded.append("installed"),
    )
    assert registry.get("red") == 1
    assert loaded == ["built-in"]
    with pytest.raises(UnknownNameError):
        registry.get("mauve")
    assert loaded == ["built-in", "installed"]
