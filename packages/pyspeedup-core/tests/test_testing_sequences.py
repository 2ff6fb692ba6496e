"""SequenceMachine sees each fault that is planted in a list, and none in a right one."""

from __future__ import annotations

import copy
import operator
from collections import deque
from collections.abc import MutableSequence

import pytest
from pyspeedup.core.testing import SequenceMachine, state_machine_test


class TakesCopiesIn(list):
    def insert(self, index, value):
        super().insert(index, copy.deepcopy(value))


class HandsOutCopies(list):
    def __getitem__(self, index):
        return copy.deepcopy(super().__getitem__(index))


class NegativeIndexesWrapTwice(list):
    def __getitem__(self, index):
        below = isinstance(index, int) and self and index < -len(self)
        return super().__getitem__(index % len(self) if below else index)


class SetsTheFirstForTheLast(list):
    def __setitem__(self, index, value):
        super().__setitem__(0 if index == -1 else index, value)


class DeletesSilently(list):
    def __delitem__(self, index):
        if not isinstance(index, int) or -len(self) <= index < len(self):
            super().__delitem__(index)


class AppendsToAFullPageInFront(list):
    def append(self, value):
        self.insert(0 if len(self) == 4 else len(self), value)


class RefusesToInsertBeyondTheEnd(list):
    def insert(self, index, value):
        if index > len(self):
            raise IndexError(index)
        super().insert(index, value)


class PopsNoneFromNothing(list):
    def pop(self, *index):
        return super().pop(*index) if self or index else None


class PopsNegativeIndexesOffByOne(list):
    def pop(self, index=-1):
        return super().pop(index + 1 if -len(self) <= index < -1 else index)


class RemovesTheLast(list):
    def remove(self, value):
        del self[len(self) - 1 - self[::-1].index(value)]


class CountsByIdentity(list):
    def count(self, value):
        return sum(item is value for item in self)


class FindsTheLast(list):
    def index(self, value, *bounds):
        if bounds:
            return super().index(value, *bounds)
        return len(self) - 1 - self[::-1].index(value)


class FindsBeyondTheStop(list):
    def index(self, value, start=0, stop=None):
        return super().index(value, start)


class SlicesBackwardsOffByOne(list):
    def __getitem__(self, index):
        found = super().__getitem__(index)
        return found[:-1] if isinstance(index, slice) and (index.step or 1) < -1 else found


class FitsWhatIsTooLong(list):
    def __setitem__(self, index, value):
        if isinstance(index, slice) and isinstance(value, list) and index.step not in (None, 1):
            value = value[: len(range(*index.indices(len(self))))]
        super().__setitem__(index, value)


class LosesIterators(list):
    def __setitem__(self, index, value):
        super().__setitem__(index, [] if hasattr(value, "__next__") else value)


class ClearsBeforeItTakesItself(list):
    def __setitem__(self, index, value):
        if value is self:
            self.clear()
        super().__setitem__(index, value)


class DeletesBackwardsInTheWrongPlace(list):
    def __delitem__(self, index):
        if isinstance(index, slice) and index.step is not None and index.step < -1:
            del self[0 : len(range(*index.indices(len(self))))]
        else:
            super().__delitem__(index)


class TakesTextAsIndex(list):
    def __getitem__(self, index):
        return super().__getitem__(int(index) if isinstance(index, str) else index)


class ExtendsByAllButTheLast(list):
    def extend(self, items):
        before = len(self)
        super().extend(items)
        if hasattr(items, "__next__") and len(self) > before:
            self.pop()


class AddsIntoAnother(list):
    def __iadd__(self, items):
        return type(self)([*self, *items])


class ExtendsAllOrNothing(list):
    def extend(self, items):
        super().extend(list(items))


class ExtendsByHalfOfItself(list):
    def extend(self, items):
        super().extend(self[: len(self) // 2 + 1] if items is self else items)


class MultipliesByItsSize(list):
    def __imul__(self, times):
        return super().__imul__(operator.index(times) if times != -1 else 1)


class AddsTuples(list):
    def __add__(self, items):
        return super().__add__(list(items))


class ClearsAllButOne(list):
    def clear(self):
        del self[1:]


class ReversesOnlyEvenLengths(list):
    def reverse(self):
        if len(self) % 2 == 0:
            super().reverse()


class SortsTiesBackwards(list):
    def sort(self, *, key=None, reverse=False):
        super().sort(key=key)
        if reverse:
            self.reverse()


class SortsByText(list):
    def sort(self, *, key=str, reverse=False):
        super().sort(key=key, reverse=reverse)


class LosesWhatItCannotSort(list):
    def sort(self, *, key=None, reverse=False):
        items = self[:]
        self.clear()
        items.sort(key=key, reverse=reverse)
        self.extend(items)


class CopiesAreTheSame(list):
    def copy(self):
        return self


class ReversedWithoutTheFirst(list):
    def __reversed__(self):
        return iter(self[:0:-1])


class IteratesOverASnapshot(list):
    def __iter__(self):
        return iter(self[:])


class FailsWhenShrunk(list):
    def __iter__(self):
        position = 0
        while position <= len(self) - 1:
            yield self[position]
            position += 1
            if position > len(self):
                raise RuntimeError("shrunk")


class EqualsTuples(list):
    def __eq__(self, other):
        return super().__eq__(list(other) if isinstance(other, tuple) else other)

    __hash__ = None


class IsLessThanItself(list):
    def __lt__(self, other):
        return super().__le__(other)


class HasAHash(list):
    def __hash__(self):
        return 1


class CountsOneTooMany(list):
    def __len__(self):
        return super().__len__() + (super().__len__() > 2)


FAULTS = {
    TakesCopiesIn: "change_what_is_held insert_and_hold",
    HandsOutCopies: "change_in_place get_and_hold swap_items",
    NegativeIndexesWrapTwice: "get_item get_and_hold",
    SetsTheFirstForTheLast: "set_item swap_items",
    DeletesSilently: "delete_item",
    AppendsToAFullPageInFront: "append",
    RefusesToInsertBeyondTheEnd: "insert insert_and_hold",
    PopsNoneFromNothing: "pop_last",
    PopsNegativeIndexesOffByOne: "pop",
    RemovesTheLast: "remove",
    CountsByIdentity: "count_and_contain",
    FindsTheLast: "find",
    FindsBeyondTheStop: "find_between",
    SlicesBackwardsOffByOne: "get_slice",
    FitsWhatIsTooLong: "set_slice put_itself_into_a_slice",
    LosesIterators: "set_slice_from_iterator",
    ClearsBeforeItTakesItself: "put_itself_into_a_slice",
    DeletesBackwardsInTheWrongPlace: "delete_slice",
    TakesTextAsIndex: "use_wrong_indexes",
    ExtendsByAllButTheLast: "extend",
    AddsIntoAnother: "extend_in_place",
    ExtendsAllOrNothing: "extend_from_broken_iterable",
    ExtendsByHalfOfItself: "extend_by_itself",
    MultipliesByItsSize: "multiply_in_place",
    AddsTuples: "add_and_multiply",
    ClearsAllButOne: "clear",
    ReversesOnlyEvenLengths: "reverse",
    SortsTiesBackwards: "sort_by_type sort",
    SortsByText: "sort",
    LosesWhatItCannotSort: "sort_with_broken_key",
    CopiesAreTheSame: "copy_apart",
    ReversedWithoutTheFirst: "iterate",
    IteratesOverASnapshot: "grow_while_iterating shrink_while_iterating",
    FailsWhenShrunk: "shrink_while_iterating",
    EqualsTuples: "compare_for_equality",
    IsLessThanItself: "compare_for_order",
    HasAHash: "hash_is_refused",
}
PREPARATION = {"begin_with_items", "choose_when_to_compare", "compare_contents"}


def machine_of(sequence, **choices):
    class Machine(SequenceMachine):
        def make_sequence(self):
            return sequence()

    return type(sequence.__name__, (Machine,), choices)


@pytest.mark.parametrize("toy", [*FAULTS, CountsOneTooMany])
def test_a_planted_fault_is_seen(sees, toy):
    assert sees(machine_of(toy))


@pytest.mark.parametrize("toy", FAULTS)
def test_a_planted_fault_is_seen_by_its_rules_alone(passes, without, thorough, toy):
    assert passes(without(machine_of(toy), FAULTS[toy].split()))


def test_every_rule_has_a_fault_that_it_sees(rules_of):
    seen = {name for names in FAULTS.values() for name in names.split()}
    assert rules_of(SequenceMachine) == seen | PREPARATION


class Minimal(MutableSequence):
    """Nothing but what the abstract class asks for, over a deque, which takes no slices."""

    def __init__(self):
        self.items = deque()

    def __getitem__(self, index):
        return self.items[index]

    def __setitem__(self, index, value):
        self.items[index] = value

    def __delitem__(self, index):
        del self.items[index]

    def __len__(self):
        return len(self.items)

    def insert(self, index, value):
        self.items.insert(index, value)


TestList = state_machine_test(machine_of(list))
TestListThatSharesItems = state_machine_test(machine_of(list, shares_items=True))
TestMinimal = state_machine_test(machine_of(Minimal, list_like=False))


class RepeatsApart(list):
    """Repeated items become objects of their own, as in everything that keeps bytes."""

    def extend(self, items):
        super().extend(copy.deepcopy(list(items)) if items is self else items)

    def __imul__(self, times):
        repeated = [copy.deepcopy(item) for _ in range(times) for item in self]
        self[:] = repeated
        return self


def test_sharing_of_repeated_items_is_asked_for_only_where_it_is_promised(sees):
    assert sees(machine_of(RepeatsApart, shares_items=True))


def test_items_that_do_not_keep_changes_can_be_left_out(sees, passes):
    assert passes(machine_of(TakesCopiesIn, keeps_changes=False))


def test_the_edges_of_pages_are_visited(sees):
    class FailsAtAnEdge(list):
        def insert(self, index, value):
            super().insert(index if index != 100 else 99, value)

    class Filled(machine_of(FailsAtAnEdge)):
        page_size = 100

        def __init__(self):
            super().__init__()
            self.model[:] = self.subject[:] = range(150)

    assert sees(Filled)
