"""MappingMachine sees each fault that is planted in a dict, and none in a right one."""

from __future__ import annotations

import copy
import pickle
from collections import UserDict
from collections.abc import ItemsView, KeysView, MutableMapping, ValuesView

import pytest
from hypothesis.stateful import rule
from pyspeedup.core.testing import MappingMachine, state_machine_test, strategies


class MovesOnOverwrite(dict):
    def __setitem__(self, key, value):
        self.pop(key, None)
        super().__setitem__(key, value)


class TakesTheNewerOfEqualKeys(dict):
    def __setitem__(self, key, value):
        items = [
            (key if key == old else old, value if key == old else kept)
            for old, kept in self.items()
        ]
        known = key in self
        self.clear()
        dict.update(self, items)
        if not known:
            super().__setitem__(key, value)


class InventsValues(dict):
    def __getitem__(self, key):
        return self.get(key)


class IgnoresTheDefault(dict):
    def get(self, key, _default=None):
        return super().get(key)


class TellsKeysByType(dict):
    def __contains__(self, key):
        return super().__contains__(key) and any(
            type(old) is type(key) for old in self if old == key
        )


class DeletesSilently(dict):
    def __delitem__(self, key):
        if key in self:
            super().__delitem__(key)


class PopsSilently(dict):
    def pop(self, key, *default):
        return super().pop(key, *(default or (None,)))


class PopsWithoutDefault(dict):
    def pop(self, key, *_default):
        return super().pop(key)


class DefaultsOverwrite(dict):
    def setdefault(self, key, default=None):
        if default is not None and default != []:
            self[key] = default
        return super().setdefault(key, default)


class DefaultsAreRequired(dict):
    def setdefault(self, key, default):
        return super().setdefault(key, default)


class DefaultsAreCopied(dict):
    def setdefault(self, key, default=None):
        if key not in self:
            self[key] = copy.deepcopy(default)
            return default
        return self[key]


class HandsOutCopies(dict):
    def __getitem__(self, key):
        return copy.deepcopy(super().__getitem__(key))


class TakesCopiesIn(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, copy.deepcopy(value))


class FirstInFirstOut(dict):
    def popitem(self):
        if not self:
            raise KeyError("empty")
        key = next(iter(self))
        return key, self.pop(key)


class UpdatesBackwards(dict):
    def update(self, other):
        super().update(dict(reversed(other.items())) if type(other) is dict else other)


class UpdatesLoseTheLastPair(dict):
    def update(self, other):
        super().update(other)
        if not hasattr(other, "keys") and self:
            self.popitem()


class UpdatesOnlyFromMappings(dict):
    def update(self, other):
        super().update(other if isinstance(other, dict) else iter(other))


class UpdatesAllOrNothing(dict):
    def update(self, other):
        super().update(list(other) if hasattr(other, "__next__") else other)


class UpdatesFromItselfEmptied(dict):
    def update(self, other):
        if other is self:
            self.clear()
        super().update(other)


class UpdatesFromNumbers(dict):
    def update(self, other):
        if not isinstance(other, int):
            super().update(other)


class ClearsAllButOne(dict):
    def clear(self):
        while len(self) > 1:
            self.popitem()


class IntersectsToNothing(dict):
    class Keys(KeysView):
        def __and__(self, other):
            return set()

        def __reversed__(self):
            return reversed(self._mapping)

    def keys(self):
        return self.Keys(self)


class ItemsAreAlwaysDisjoint(dict):
    class Items(ItemsView):
        def isdisjoint(self, other):
            return True

        def __reversed__(self):
            return iter([(key, self._mapping[key]) for key in reversed(self._mapping)])

    def items(self):
        return self.Items(self)


class ValuesAreASnapshot(dict):
    def values(self):
        return list(super().values())


class ValuesAreBackwards(dict):
    class Values(ValuesView):
        def __iter__(self):
            return reversed(dict.values(self._mapping))

        def __reversed__(self):
            return reversed(dict.values(self._mapping))

    def values(self):
        return self.Values(self)


class ReversedIsForwards(dict):
    def __reversed__(self):
        return iter(self)


class IteratesOverASnapshot(dict):
    def __iter__(self):
        return iter(list(super().__iter__()))


class IterationForbidsOverwriting(dict):
    changes = 0

    def __setitem__(self, key, value):
        self.changes += 1
        super().__setitem__(key, value)

    def __iter__(self):
        return self.watch(super().__iter__(), self.changes)

    def watch(self, iterator, before):
        for key in iterator:
            yield key
            if self.changes != before:
                raise RuntimeError("changed")


class EqualsItsItems(dict):
    def __eq__(self, other):
        return super().__eq__(other) or other == list(self.items())

    __hash__ = None


class UnitesTheWrongWay(dict):
    def __ror__(self, other):
        return dict(self) | dict(other)


class UnitesIntoAnother(dict):
    def __ior__(self, other):
        return type(self)(dict(self) | dict(other))


class CopiesAreTheSame(dict):
    def copy(self):
        return self


class UnhashableKeysAreMissing(dict):
    def __contains__(self, key):
        return not isinstance(key, list) and super().__contains__(key)


class CountsOneTooMany(dict):
    def __len__(self):
        return super().__len__() + (super().__len__() > 2)


FAULTS = {
    MovesOnOverwrite: "set_item set_and_hold update_from_itself views_are_live overwrite_while_iterating",
    TakesTheNewerOfEqualKeys: "set_item set_and_hold views_are_live",
    InventsValues: "get_item",
    IgnoresTheDefault: "get_with_default",
    TellsKeysByType: "contains grow_or_shrink_while_iterating views_are_live",
    DeletesSilently: "delete",
    PopsSilently: "pop use_unhashable_keys",
    PopsWithoutDefault: "pop_with_default",
    DefaultsOverwrite: "set_default",
    DefaultsAreRequired: "set_default_none",
    DefaultsAreCopied: "change_a_default",
    HandsOutCopies: "change_in_place get_and_hold",
    TakesCopiesIn: "change_what_is_held",
    FirstInFirstOut: "pop_item",
    UpdatesBackwards: "update_from_mapping",
    UpdatesLoseTheLastPair: "update_from_pairs begin_with_items update_from_junk",
    UpdatesOnlyFromMappings: "update_from_keys_and_getitem",
    UpdatesAllOrNothing: "update_from_broken_iterable",
    UpdatesFromItselfEmptied: "update_from_itself",
    UpdatesFromNumbers: "update_from_junk",
    ClearsAllButOne: "clear",
    IntersectsToNothing: "combine_key_views",
    ItemsAreAlwaysDisjoint: "combine_item_views",
    ValuesAreASnapshot: "views_are_live",
    ValuesAreBackwards: "iterate",
    ReversedIsForwards: "iterate_backwards",
    IteratesOverASnapshot: "grow_or_shrink_while_iterating",
    IterationForbidsOverwriting: "overwrite_while_iterating",
    EqualsItsItems: "compare_with_dicts",
    UnitesTheWrongWay: "unite",
    UnitesIntoAnother: "unite_in_place",
    CopiesAreTheSame: "copy_apart",
    UnhashableKeysAreMissing: "use_unhashable_keys",
}
PREPARATION = {
    "begin_with_items",
    "choose_when_to_compare",
    "compare_contents",
    "know_another_key",
    "know_some_keys",
}


def machine_of(mapping, **choices):
    class Machine(MappingMachine):
        def make_mapping(self):
            return mapping()

    return type(mapping.__name__, (Machine,), choices)


@pytest.mark.parametrize("toy", [*FAULTS, CountsOneTooMany])
def test_a_planted_fault_is_seen(sees, toy):
    assert sees(machine_of(toy))


@pytest.mark.parametrize("toy", FAULTS)
def test_a_planted_fault_is_seen_by_its_rules_alone(passes, without, thorough, toy):
    assert passes(without(machine_of(toy), FAULTS[toy].split()))


def test_every_rule_has_a_fault_that_it_sees(rules_of):
    seen = {name for names in FAULTS.values() for name in names.split()}
    assert rules_of(MappingMachine) == seen | PREPARATION


TestDict = state_machine_test(machine_of(dict))
TestUserDict = state_machine_test(machine_of(UserDict, dict_like=False))


class Shuffled(MutableMapping):
    """Promises no order, and neither do its values stay the same objects."""

    def __init__(self):
        self.pickles = {}

    def __getitem__(self, key):
        return pickle.loads(self.pickles[key])[1]

    def __setitem__(self, key, value):
        old = pickle.loads(self.pickles.pop(key))[0] if key in self.pickles else key
        self.pickles[old] = pickle.dumps((old, value))

    def __delitem__(self, key):
        del self.pickles[key]

    def __iter__(self):
        return reversed(self.pickles)

    def __len__(self):
        return len(self.pickles)


FREE = {"dict_like": False, "ordered": False, "keeps_changes": False}
TestShuffled = state_machine_test(machine_of(Shuffled, **FREE))


@pytest.mark.parametrize("choice", ["ordered", "keeps_changes"])
def test_each_choice_makes_a_difference(sees, choice):
    assert sees(machine_of(Shuffled, **FREE | {choice: True}))


class Reopenable(dict):
    """A dict that is written to `place` when it is closed, and read from there."""

    keeps = staticmethod(dict)

    def __init__(self, place):
        super().__init__(pickle.loads(place[-1]) if place else {})
        self.place = place

    def close(self):
        self.place.append(pickle.dumps(self.keeps(self)))


class ReopeningMachine(MappingMachine):
    opens = Reopenable

    def make_mapping(self):
        self.place = []
        return self.opens(self.place)

    def check(self, mapping):
        assert mapping.place is self.place

    @rule()
    def reopen(self):
        self.subject.close()
        self.replace_subject(self.opens(self.place))


TestReopening = state_machine_test(ReopeningMachine)


def test_a_subclass_can_reopen_and_sees_what_is_lost(sees):
    class Forgetful(Reopenable):
        keeps = staticmethod(lambda items: dict(list(items.items())[:3]))

    assert sees(type("Machine", (ReopeningMachine,), {"opens": Forgetful}))


def test_what_the_check_of_a_subclass_asserts_is_asked_after_each_step(sees):
    class Checked(machine_of(dict)):
        def check(self, mapping):
            assert len(mapping) < 3, "three is too many"

    assert sees(Checked)


def test_the_subject_is_closed_in_the_end_even_if_a_step_failed(sees):
    closed = []

    class Closing(InventsValues):
        def close(self):
            closed.append(self)

    assert sees(machine_of(Closing))
    assert closed


def test_keys_and_values_can_be_chosen(sees, passes):
    class OnlyText(dict):
        def __setitem__(self, key, value):
            assert isinstance(key, str)
            super().__setitem__(key, value)

    text = strategies.scalars().filter(lambda key: isinstance(key, str))
    assert passes(machine_of(OnlyText, key_strategy=text, value_strategy=strategies.json_values()))
    assert sees(machine_of(OnlyText))
