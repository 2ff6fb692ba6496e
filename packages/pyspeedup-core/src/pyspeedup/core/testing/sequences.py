"""SequenceMachine: any mutable sequence against a list."""

from __future__ import annotations

import operator
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, precondition, rule

from pyspeedup.core.testing import strategies
from pyspeedup.core.testing._twins import Pair, TwinMachine
from pyspeedup.core.testing._values import fresh, has_mutable, innermost, make_mutable, same
from pyspeedup.core.testing.strategies import of_machine

if TYPE_CHECKING:
    from collections.abc import MutableSequence

__all__ = ["SequenceMachine"]

NEW_VALUES = of_machine("value_strategy")
VALUES = st.runner().flatmap(lambda machine: machine.values())
LISTS = st.lists(VALUES, max_size=9)
INDEXES = st.runner().flatmap(
    lambda machine: strategies.indexes(len(machine.model), machine.page_size)
)
SLICES = st.runner().flatmap(
    lambda machine: strategies.slices(len(machine.model), machine.page_size)
)
MUTABLE_PLACES = st.runner().flatmap(
    lambda machine: st.sampled_from(
        [place for place, item in enumerate(machine.model) if innermost(item) is not None]
    )
)
COMPARABLE = st.integers(0, 3)
MANY = 30
"""From here on a sequence is long enough, and rules that repeat it rest."""


class _Unfinished(Exception):  # noqa: N818 -- not an error of anybody: it interrupts a step
    """Raised in the middle of `extend` and `sort`."""


class SequenceMachine(TwinMachine):
    """A Hypothesis state machine that holds a mutable sequence to what a list does.

    Override `make_sequence`. Every rule acts on the sequence and on a list; where the list raises,
    the sequence must raise the same type and stay as it was. Indexes and slices favour the ends,
    the edges of pages of `page_size` items, and what is just out of range.

    Choices are class attributes:

    - `value_strategy`: what the sequence can hold; `page_size`: where its pages may end.
    - `list_like`: false leaves out what a `MutableSequence` need not have: slices, ``+``, ``*``,
      ``*=``, `copy`, `sort`, comparisons.
    - `keeps_changes`: false leaves out changes of items in place.
    - `shares_items`: true if a mutable item that stands at two places stays one object. What is
      kept as bytes cannot promise that, so items are repeated only while all are immutable.

    A subclass adds rules as in any Hypothesis machine, best by `agree`; it overrides `check` to
    assert what must hold inside. A rule that closes and reopens ends with `replace_subject`.

    >>> from pyspeedup.core.testing import SequenceMachine, state_machine_test
    >>> class ListMachine(SequenceMachine):
    ...     shares_items = True
    ...     def make_sequence(self):
    ...         return []
    >>> TestList = state_machine_test(ListMachine)
    """

    list_like: ClassVar[bool] = True
    shares_items: ClassVar[bool] = False

    held: ClassVar[Bundle[Any]] = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.model: list[Any] = []
        self.subject = self.make_sequence()

    def make_sequence(self) -> MutableSequence[Any]:
        """Return the sequence to be tried, empty. Called once a run; `own_folder` is the run's own."""
        raise NotImplementedError

    def compare(self) -> None:
        """Compare all items, with their types, in order."""
        actual = list(self.subject)
        assert same(self.model, actual), f"{actual!r} where {self.model!r} was expected"

    def values(self) -> st.SearchStrategy[Any]:
        """Return a strategy for values: new ones, and such as are there already."""
        if not self.model:
            return self.value_strategy
        there = st.sampled_from(self.model).map(fresh)
        return st.booleans().flatmap(lambda again: there if again else self.value_strategy)

    # What is held

    @initialize(items=st.lists(NEW_VALUES, max_size=12))
    def begin_with_items(self, items: list[Any]) -> None:
        """Begin with some items, so that not all of a run is spent near empty."""
        self.agree(lambda sequence: sequence.extend(fresh(items)))

    @precondition(lambda self: self.keeps_changes)
    @rule(target=held, index=INDEXES, value=VALUES.map(make_mutable))
    def insert_and_hold(self, index: int, value: Any) -> Pair:
        """Put an item in, and keep a reference to it."""
        pair = Pair(fresh(value), fresh(value))
        self.model.insert(index, pair.mine)
        self.subject.insert(index, pair.theirs)
        return pair

    @precondition(lambda self: self.keeps_changes and has_mutable(self.model))
    @rule(target=held, index=MUTABLE_PLACES)
    def get_and_hold(self, index: int) -> Any:
        """Take an item out, and keep a reference to it."""
        return self.agree(lambda sequence: sequence[index])

    @precondition(lambda self: self.keeps_changes)
    @rule(pair=held, item=strategies.scalars())
    def change_what_is_held(self, pair: Pair, item: Any) -> None:
        """Change an item through a reference from before: the sequence must show it."""
        pair.change(item)

    @precondition(lambda self: self.keeps_changes and has_mutable(self.model))
    @rule(index=MUTABLE_PLACES, item=strategies.scalars())
    def change_in_place(self, index: int, item: Any) -> None:
        """Change an item where it is, as ``l[i].append(item)`` does."""
        self.agree(lambda sequence: sequence[index]).change(item)

    # One item

    @rule(index=INDEXES)
    def get_item(self, index: int) -> None:
        """``l[i]``."""
        self.agree(lambda sequence: sequence[index])

    @rule(index=INDEXES, value=VALUES)
    def set_item(self, index: int, value: Any) -> None:
        """``l[i] = value``."""
        self.agree(lambda sequence: sequence.__setitem__(index, fresh(value)))

    @rule(index=INDEXES)
    def delete_item(self, index: int) -> None:
        """``del l[i]``."""
        self.agree(lambda sequence: sequence.__delitem__(index))

    @rule(first=INDEXES, second=INDEXES)
    def swap_items(self, first: int, second: int) -> None:
        """``l[i], l[j] = l[j], l[i]``."""

        def operation(sequence: Any) -> None:
            sequence[first], sequence[second] = sequence[second], sequence[first]

        self.agree(operation)

    @rule(value=VALUES)
    def append(self, value: Any) -> None:
        """``l.append(value)``."""
        self.agree(lambda sequence: sequence.append(fresh(value)))

    @rule(index=INDEXES, value=VALUES)
    def insert(self, index: int, value: Any) -> None:
        """``l.insert(i, value)``, which takes any index."""
        self.agree(lambda sequence: sequence.insert(index, fresh(value)))

    @rule()
    def pop_last(self) -> None:
        """``l.pop()``."""
        self.agree(lambda sequence: sequence.pop())

    @rule(index=INDEXES)
    def pop(self, index: int) -> None:
        """``l.pop(i)``."""
        self.agree(lambda sequence: sequence.pop(index))

    @rule(index=INDEXES, missing=VALUES, there=st.booleans())
    def remove(self, index: int, missing: Any, there: bool) -> None:
        """``l.remove(value)``."""
        value = self._value(index, missing, there)
        self.agree(lambda sequence: sequence.remove(value))

    @rule(index=INDEXES, missing=VALUES, there=st.booleans())
    def count_and_contain(self, index: int, missing: Any, there: bool) -> None:
        """``l.count(value)`` and ``value in l``."""
        value = self._value(index, missing, there)
        self.agree(lambda sequence: [sequence.count(value), value in sequence])

    @rule(index=INDEXES, missing=VALUES, there=st.booleans())
    def find(self, index: int, missing: Any, there: bool) -> None:
        """``l.index(value)``."""
        value = self._value(index, missing, there)
        self.agree(lambda sequence: sequence.index(value))

    @rule(index=INDEXES, missing=VALUES, there=st.booleans(), start=INDEXES, stop=INDEXES)
    def find_between(self, index: int, missing: Any, there: bool, start: int, stop: int) -> None:
        """``l.index(value, start)`` and ``l.index(value, start, stop)``."""
        value = self._value(index, missing, there)
        self.agree(lambda sequence: sequence.index(value, start))
        self.agree(lambda sequence: sequence.index(value, start, stop))

    # Slices

    @precondition(lambda self: self.list_like)
    @rule(piece=SLICES)
    def get_slice(self, piece: slice) -> None:
        """``l[i:j:k]``."""
        self.agree(lambda sequence: list(sequence[piece]))

    @precondition(lambda self: self.list_like)
    @rule(piece=SLICES, items=LISTS, fits=st.booleans())
    def set_slice(self, piece: slice, items: list[Any], fits: bool) -> None:
        """``l[i:j:k] = items``; with a step, often as many as it takes."""
        if fits and piece.step not in (None, 1):
            length = len(range(*piece.indices(len(self.model))))
            items = [items[i % len(items)] if items else None for i in range(length)]
        new = _maker_of(items)
        self.agree(lambda sequence: sequence.__setitem__(piece, new()))

    @precondition(lambda self: self.list_like)
    @rule(piece=SLICES, items=LISTS)
    def set_slice_from_iterator(self, piece: slice, items: list[Any]) -> None:
        """``l[i:j:k] = iterator``, and what is none is a `TypeError`."""
        new = _maker_of(items)
        self.agree(lambda sequence: sequence.__setitem__(piece, iter(new())))
        self.agree(lambda sequence: sequence.__setitem__(piece, 5))

    @precondition(lambda self: self.list_like)
    @rule(piece=SLICES)
    def delete_slice(self, piece: slice) -> None:
        """``del l[i:j:k]``."""
        self.agree(lambda sequence: sequence.__delitem__(piece))

    @precondition(lambda self: self.list_like)
    @rule(use=st.sampled_from(["get", "set", "delete"]), index=st.sampled_from(["0", None, 1.0]))
    def use_wrong_indexes(self, use: str, index: Any) -> None:
        """Use what is no integer or slice (`TypeError`), or a step of 0 (`ValueError`)."""
        for wrong in (index, slice(None, None, 0), slice("a")):
            self.agree(partial(_use_index, use=use, index=wrong))

    # Whole sequences

    @rule(items=LISTS)
    def extend(self, items: list[Any]) -> None:
        """``l.extend(iterable)``."""
        new = _maker_of(items)
        self.agree(lambda sequence: sequence.extend(iter(new())))

    @rule(items=LISTS)
    def extend_in_place(self, items: list[Any]) -> None:
        """``l += iterable``; it stays the same object."""
        new = _maker_of(items)

        def operation(sequence: Any) -> bool:
            before = sequence
            sequence += new()
            return sequence is before

        self.agree(operation)

    @rule(items=LISTS)
    def extend_from_broken_iterable(self, items: list[Any]) -> None:
        """``l.extend(items)`` where the items end in an error: what came before it is in."""
        new = _maker_of(items)

        def broken() -> Any:
            yield from new()
            raise _Unfinished

        self.agree(lambda sequence: sequence.extend(broken()))

    @precondition(lambda self: len(self.model) < MANY)
    @rule()
    def extend_by_itself(self) -> None:
        """``l.extend(l)``."""
        self._allow_repetition()
        self.agree(lambda sequence: sequence.extend(sequence))

    @precondition(lambda self: self.list_like and len(self.model) < MANY)
    @rule(piece=SLICES)
    def put_itself_into_a_slice(self, piece: slice) -> None:
        """``l[i:j:k] = l``."""
        self._allow_repetition()
        self.agree(lambda sequence: sequence.__setitem__(piece, sequence))

    @precondition(lambda self: self.list_like and len(self.model) < MANY)
    @rule(times=st.sampled_from([2, 3, 1, 0, -1, "x"]))
    def multiply_in_place(self, times: Any) -> None:
        """``l *= n``; it stays the same object."""
        self._allow_repetition()

        def operation(sequence: Any) -> bool:
            before = sequence
            sequence *= times
            return sequence is before

        self.agree(operation)

    @precondition(lambda self: self.list_like)
    @rule(items=LISTS, times=st.sampled_from([-1, 0, 1, 2]))
    def add_and_multiply(self, items: list[Any], times: int) -> None:
        """``l + other``, ``l * n`` and ``n * l`` give a new sequence; ``l + ()`` is refused."""
        self.agree(lambda sequence: list(sequence + items))
        self.agree(lambda sequence: [list(sequence * times), list(times * sequence)])
        self.agree(lambda sequence: operator.add(sequence, ()))

    @rule(times=st.integers(1, 2))
    def clear(self, times: int) -> None:
        """``l.clear()``, perhaps twice."""
        for _ in range(times):
            self.agree(lambda sequence: sequence.clear())

    @rule()
    def reverse(self) -> None:
        """``l.reverse()``."""
        self.agree(lambda sequence: sequence.reverse())

    @precondition(lambda self: self.list_like)
    @rule(backwards=st.booleans())
    def sort_by_type(self, backwards: bool) -> None:
        """``l.sort(key=..., reverse=...)`` with many ties, whose order must stay."""
        self.agree(lambda sequence: sequence.sort(key=_type_name, reverse=backwards))

    @precondition(lambda self: self.list_like)
    @rule(items=st.lists(VALUES, min_size=3, max_size=9), backwards=st.booleans())
    def sort(self, items: list[Any], backwards: bool) -> None:
        """``l.sort()``, after replacing the items by such as can be compared."""
        comparable = [item for item in items if type(item) is type(items[-1])]
        try:
            sorted(comparable)
        except TypeError:
            comparable = []
        self.agree(lambda sequence: sequence.__setitem__(slice(None), fresh(comparable)))
        self.agree(lambda sequence: sequence.sort(reverse=backwards))

    @precondition(lambda self: self.list_like and self.model)
    @rule(fails_at=st.integers(0, 6))
    def sort_with_broken_key(self, fails_at: int) -> None:
        """``l.sort(key=...)`` where the key fails leaves all as it was."""

        def operation(sequence: Any) -> Any:
            calls = iter(range(min(fails_at, len(sequence) - 1)))

            def key(item: Any) -> str:
                if next(calls, None) is None:
                    raise _Unfinished
                return repr(item)

            return sequence.sort(key=key)

        self.agree(operation)

    @precondition(lambda self: self.list_like)
    @rule(items=LISTS)
    def copy_apart(self, items: list[Any]) -> None:
        """``l.copy()`` is equal, and changing it leaves the sequence alone."""

        def operation(sequence: Any) -> Any:
            copied = sequence.copy()
            found = list(copied)
            copied.extend(items)
            return found

        self.agree(operation)

    # Iteration and comparison

    @rule()
    def iterate(self) -> None:
        """Iterate forwards, backwards, and two at a time."""
        self.agree(lambda sequence: [list(sequence), list(reversed(sequence))])
        self.agree(lambda sequence: list(zip(sequence, sequence, strict=True)))

    @rule(steps=st.integers(0, 5), items=LISTS)
    def grow_while_iterating(self, steps: int, items: list[Any]) -> None:
        """Items that are appended while iterating are met."""
        new = _maker_of(items)

        def operation(sequence: Any) -> Any:
            iterator = iter(sequence)
            seen = [item for _, item in zip(range(steps), iterator, strict=False)]
            sequence.extend(new())
            return seen + list(iterator)

        self.agree(operation)

    @rule(steps=st.integers(0, 5), times=st.integers(1, 5))
    def shrink_while_iterating(self, steps: int, times: int) -> None:
        """Items that are removed before the iterator came to them are not met."""

        def operation(sequence: Any) -> Any:
            iterator = iter(sequence)
            seen = [item for _, item in zip(range(steps), iterator, strict=False)]
            for _ in range(min(times, len(sequence))):
                sequence.pop()
            return seen + list(iterator)

        self.agree(operation)

    @precondition(lambda self: self.list_like)
    @rule(items=LISTS)
    def compare_for_equality(self, items: list[Any]) -> None:
        """``==`` and ``!=`` with equal and other lists, and with what is none."""
        self.agree(lambda sequence: [sequence == items, items == sequence, sequence != items])
        self.agree(lambda sequence: [sequence == tuple(sequence), sequence == 1, sequence != ()])
        assert self.subject == self.model
        assert self.model == self.subject
        assert not self.subject != self.model  # noqa: SIM202 -- `!=` is what is tried

    @precondition(lambda self: self.list_like)
    @rule(items=st.lists(COMPARABLE, max_size=3), cut=INDEXES)
    def compare_for_order(self, items: list[int], cut: int) -> None:
        """``<``, ``<=``, ``>`` and ``>=`` with lists that begin alike, and with what is none."""
        other = self.model[:cut] + items
        for compared in (other, self.model[:cut], ()):
            for compare in (operator.lt, operator.le, operator.gt, operator.ge):
                self.agree(partial(compare, compared))
                self.agree(partial(_swapped, compare, compared))

    @precondition(lambda self: self.list_like)
    @rule()
    def hash_is_refused(self) -> None:
        """Ask for a hash, which a mutable sequence has not."""
        self.agree(hash)

    def _value(self, index: int, missing: Any, there: bool) -> Any:
        if there and -len(self.model) <= index < len(self.model):
            return fresh(self.model[index])
        return missing

    def _allow_repetition(self) -> None:
        """Remove what must not come to stand at two places."""
        for place in reversed(range(len(self.model))):
            if not self.shares_items and innermost(self.model[place]) is not None:
                self.agree(partial(_use_index, use="delete", index=place))


def _maker_of(items: list[Any]) -> Any:
    """Return a function that makes `items` anew, each item apart from the others."""
    return lambda: [fresh(item) for item in items]


def _type_name(value: Any) -> str:
    return type(value).__name__


def _swapped(compare: Any, other: Any, sequence: Any) -> Any:
    return compare(sequence, other)


def _use_index(sequence: Any, *, use: str, index: Any) -> Any:
    if use == "get":
        return sequence[index]
    if use == "set":
        return sequence.__setitem__(index, [1])
    return sequence.__delitem__(index)
