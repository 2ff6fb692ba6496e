"""Contracts of serializers and halt conditions: test classes to subclass."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspeedup.core.errors import SerializationError
from pyspeedup.core.protocols import HaltCondition, Serializer
from pyspeedup.core.testing import strategies
from pyspeedup.core.testing._values import fresh, same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["HaltConditionContract", "SerializerContract"]


class SerializerContract:
    """What `Serializer` promises, as tests. Override `make_serializer`.

    `value_strategy` draws the values that the serializer takes; any others (`any_value_strategy`) it
    must refuse unless it gives them back equal and of the same type. Where it takes options, it has a
    method ``options()``, and `remake` is to do what its registered factory does.

    >>> from pyspeedup.core import PickleSerializer
    >>> from pyspeedup.core.testing import SerializerContract
    >>> class TestPickle(SerializerContract):
    ...     def make_serializer(self):
    ...         return PickleSerializer()
    >>> TestPickle().test_gives_values_back_equal_and_of_the_same_type()
    """

    value_strategy: ClassVar[st.SearchStrategy[Any]] = strategies.values()
    any_value_strategy: ClassVar[st.SearchStrategy[Any]] = strategies.any_values()

    def make_serializer(self) -> Serializer:
        """Return the serializer to be tried."""
        raise NotImplementedError

    def remake(self, options: dict[str, Any]) -> Serializer:
        """Return what the registered factory makes of `options`; by default the class does."""
        return type(self.make_serializer())(**options)

    def refused_values(self) -> Iterable[Any]:
        """Return values that `dumps` must refuse; by default a generator and a lock."""
        return [(number for number in range(3)), threading.Lock()]

    def test_has_the_methods_of_the_protocol(self) -> None:
        """A serializer has `dumps` and `loads`."""
        assert isinstance(self.make_serializer(), Serializer)

    def test_gives_values_back_equal_and_of_the_same_type(self) -> None:
        """What `loads` returns is what `dumps` was given."""
        serializer = self.make_serializer()

        def holds(value: Any) -> None:
            given_back = serializer.loads(serializer.dumps(value))
            assert same(value, given_back), f"{value!r} came back as {given_back!r}"

        _for_each(self.value_strategy, holds)

    def test_dumps_returns_bytes(self) -> None:
        """What `dumps` returns is bytes, not merely like them."""
        serializer = self.make_serializer()

        def holds(value: Any) -> None:
            data = serializer.dumps(value)
            assert type(data) is bytes, f"dumps returned a {type(data).__name__}"

        _for_each(self.value_strategy, holds)

    def test_loads_from_any_kind_of_buffer(self) -> None:
        """`loads` takes a bytearray, a memoryview, and a view into a larger buffer."""
        serializer = self.make_serializer()

        def holds(value: Any) -> None:
            data = serializer.dumps(value)
            inside = memoryview(b"before" + data + b"after")[6 : 6 + len(data)]
            for buffer in (bytearray(data), memoryview(data), inside):
                assert same(value, serializer.loads(buffer))

        _for_each(self.value_strategy, holds)

    def test_dumps_leaves_the_value_as_it_was(self) -> None:
        """Writing a value does not change it."""
        serializer = self.make_serializer()

        def holds(value: Any) -> None:
            before = fresh(value)
            serializer.dumps(value)
            assert same(before, value)

        _for_each(self.value_strategy, holds)

    def test_values_do_not_depend_on_what_went_before(self) -> None:
        """Bytes are read alike by another serializer, and in another order."""
        writer, reader = self.make_serializer(), self.make_serializer()

        def holds(values: list[Any]) -> None:
            written = [writer.dumps(value) for value in values]
            given_back = [reader.loads(data) for data in reversed(written)]
            assert same(values, given_back[::-1])

        _for_each(st.lists(self.value_strategy, max_size=4), holds)

    def test_refuses_with_a_serialization_error(self) -> None:
        """What cannot be written is refused, with the reason."""
        serializer = self.make_serializer()
        for value in self.refused_values():
            with pytest.raises(SerializationError):
                serializer.dumps(value)

    def test_refuses_inside_containers(self) -> None:
        """What cannot be written is refused inside a list as well."""
        serializer = self.make_serializer()
        for value in self.refused_values():
            with pytest.raises(SerializationError):
                serializer.dumps([value])

    def test_refuses_what_would_not_come_back(self) -> None:
        """Whatever value there is, it is refused, or comes back equal and of the same type."""
        serializer = self.make_serializer()

        def holds(value: Any) -> None:
            try:
                data = serializer.dumps(value)
            except SerializationError:
                return
            given_back = serializer.loads(data)
            assert same(value, given_back), f"{value!r} came back as {given_back!r}"

        for value in strategies.ODD_VALUES:
            holds(value)
        _for_each(self.any_value_strategy, holds)

    def test_refuses_what_is_too_deep_for_it(self) -> None:
        """Lists in lists, and one that holds itself, are taken or refused, with no other error."""
        serializer = self.make_serializer()
        knot: list[Any] = []
        knot.append(knot)
        for value in (_nested(100_000), knot):
            try:
                data = serializer.dumps(value)
            except SerializationError:
                continue
            serializer.loads(data)

    def test_damaged_bytes_raise_nothing_but_a_serialization_error(self) -> None:
        """Bytes that are cut or changed are read as a value or refused, with no other error."""
        serializer = self.make_serializer()

        def holds(value: Any, cut: int) -> None:
            data = serializer.dumps(value)
            position = cut % (len(data) + 1)
            flipped = bytes(byte ^ 0xFF for byte in data[position : position + 1])
            for damaged in (data[:position], data[:position] + flipped + data[position + 1 :]):
                _loads_or_refuses(serializer, damaged)

        damage = st.tuples(self.value_strategy, st.integers(0, 200))
        _for_each(damage, lambda both: holds(*both))

    def test_options_remake_it(self) -> None:
        """A serializer made anew from `options` reads what this one wrote, and the reverse.

        A store records them as JSON and compares what it reads, so they have to come back equal.
        """
        serializer = self.make_serializer()
        options: dict[str, Any] = getattr(serializer, "options", dict)()
        assert isinstance(options, dict)
        assert json.loads(json.dumps(options)) == options, f"JSON changes the options {options}"
        remade = self.remake(options)
        assert getattr(remade, "options", dict)() == options

        def holds(value: Any) -> None:
            assert same(value, remade.loads(serializer.dumps(value)))
            assert same(value, serializer.loads(remade.dumps(value)))

        _for_each(self.value_strategy, holds)


class HaltConditionContract:
    """What `HaltCondition` promises, as tests. Override `make_condition`.

    `sequence_strategy` draws the sequences that the condition is meant for, by default integers in
    ascending order, and `item_strategy` what is looked for in them. The condition must never stop
    the search for an item that is still to come; one that gives up by design, as after a number of
    attempts, sets `gives_up`, which leaves that test out.

    >>> from pyspeedup.core.testing import HaltConditionContract
    >>> class TestPassed(HaltConditionContract):
    ...     def make_condition(self):
    ...         return lambda buffer, item, attempts: buffer.cached[-1] > item
    >>> TestPassed().test_never_stops_before_an_item_that_comes()
    """

    sequence_strategy: ClassVar[st.SearchStrategy[list[Any]]] = st.lists(
        st.integers(-20, 20), min_size=1, max_size=12
    ).map(sorted)
    item_strategy: ClassVar[st.SearchStrategy[Any]] = st.integers(-25, 25)
    gives_up: ClassVar[bool] = False

    def make_condition(self) -> HaltCondition:
        """Return the condition to be tried."""
        raise NotImplementedError

    def test_answers_true_or_false(self) -> None:
        """The answer can be taken as true or false, for every state of a search."""
        condition = self.make_condition()
        self._for_each_search(lambda *search: bool(_ask(condition, *search)))

    def test_answers_the_same_when_asked_again(self) -> None:
        """The answer depends on the buffer, the item and the attempts alone."""
        condition = self.make_condition()

        def holds(cached: list[Any], item: Any, attempts: int) -> None:
            answers = [bool(_ask(condition, cached, item, attempts)) for _ in range(3)]
            assert len(set(answers)) == 1, f"{answers} for {cached}, {item!r}, {attempts}"

        self._for_each_search(holds)

    def test_leaves_the_buffer_as_it_was(self) -> None:
        """What is cached is not changed by asking."""
        condition = self.make_condition()

        def holds(cached: list[Any], item: Any, attempts: int) -> None:
            before = fresh(cached)
            _ask(condition, cached, item, attempts)
            assert same(before, cached)

        self._for_each_search(holds)

    def test_is_satisfied_with_one_value(self) -> None:
        """A condition is asked as soon as one value has arrived."""
        condition = self.make_condition()
        self._for_each_search(lambda cached, item, _: bool(_ask(condition, cached[:1], item, 0)))

    def test_never_stops_before_an_item_that_comes(self) -> None:
        """While the item is still to come, the search goes on."""
        if self.gives_up:
            pytest.skip("the condition gives up by design")
        condition = self.make_condition()

        def holds(sequence: list[Any]) -> None:
            for item in sequence:
                for attempts in range(sequence.index(item)):
                    cached = sequence[: attempts + 1]
                    message = f"stopped at {cached}, before {item!r} came"
                    assert not _ask(condition, cached, item, attempts), message

        _for_each(self.sequence_strategy, holds)

    def _for_each_search(self, check: Callable[[list[Any], Any, int], Any]) -> None:
        searches = st.tuples(self.sequence_strategy, self.item_strategy, st.integers(0, 10_000))
        _for_each(searches, lambda search: check(*search))


def _ask(condition: HaltCondition, cached: Sequence[Any], item: Any, attempts: int) -> Any:
    buffer = SimpleNamespace(cached=cached, _cache=cached)
    return condition(buffer, item, attempts)


def _for_each(strategy: st.SearchStrategy[Any], check: Callable[[Any], Any]) -> None:
    """Try `check`, under the profile that is loaded now rather than when this was imported."""

    @given(strategy)
    def holds(value: Any) -> None:
        check(value)

    holds()


def _nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def _loads_or_refuses(serializer: Serializer, data: bytes) -> None:
    try:
        serializer.loads(data)
    except SerializationError:
        return
