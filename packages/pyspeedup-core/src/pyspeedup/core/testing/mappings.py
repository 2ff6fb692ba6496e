"""MappingMachine: any mutable mapping against a dict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, multiple, precondition, rule

from pyspeedup.core.testing import strategies
from pyspeedup.core.testing._twins import Pair, TwinMachine
from pyspeedup.core.testing._values import fresh, has_mutable, innermost, make_mutable, same
from pyspeedup.core.testing.strategies import of_machine

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["MappingMachine"]

KEYS = of_machine("key_strategy")
VALUES = of_machine("value_strategy")
MUTABLE_PLACES = st.runner().flatmap(
    lambda machine: st.sampled_from(
        [key for key, value in machine.model.items() if innermost(value) is not None]
    )
)
ITEMS = st.lists(st.tuples(KEYS, VALUES), max_size=4)


class _Unfinished(Exception):  # noqa: N818 -- not an error of anybody: it interrupts an update
    """Raised by an iterable in the middle of `update`."""


class _OnlyKeys:
    """What `update` takes besides mappings: something with ``keys`` and ``[]``."""

    def __init__(self, items: list[tuple[Any, Any]]) -> None:
        self._items = dict(items)

    def keys(self) -> Any:
        return self._items.keys()

    def __getitem__(self, key: Any) -> Any:
        return self._items[key]


class MappingMachine(TwinMachine):
    """A Hypothesis state machine that holds a mutable mapping to what a dict does.

    Override `make_mapping`. Every rule acts on the mapping and on a dict; where the dict raises,
    the mapping must raise the same type and stay as it was. The rules use every method and
    operator, equal keys of different types (1, 1.0, True), and changes of mutable values in place,
    also through references that the machine kept (`held`).

    Choices are class attributes:

    - `key_strategy`, `value_strategy`: what the mapping can hold; `strategies.json_values()` fits
      where only JSON is stored.
    - `dict_like`: false leaves out what a `MutableMapping` need not have: ``|``, `copy`,
      `reversed`, None as a value, errors for unhashable keys and for growth while iterating, last-in-first-out
      `popitem`.
    - `ordered`: false compares without regard to order.
    - `keeps_changes`: false leaves out changes of values in place.

    A subclass adds rules as in any Hypothesis machine, best by `agree`; it overrides `check` to
    assert what must hold inside. A rule that closes and reopens ends with `replace_subject`.

    >>> from hypothesis.stateful import rule
    >>> from pyspeedup.core.testing import MappingMachine, state_machine_test
    >>> class DictMachine(MappingMachine):
    ...     def make_mapping(self):
    ...         return {}
    ...     @rule(key=MappingMachine.known_keys)
    ...     def looks_up_twice(self, key):
    ...         self.agree(lambda mapping: [mapping.get(key), mapping.get(key)])
    >>> TestDict = state_machine_test(DictMachine)
    """

    key_strategy: ClassVar[st.SearchStrategy[Any]] = strategies.keys()
    dict_like: ClassVar[bool] = True
    ordered: ClassVar[bool] = True

    known_keys: ClassVar[Bundle[Any]] = Bundle("known_keys")
    held: ClassVar[Bundle[Any]] = Bundle("held")

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[Any, Any] = {}
        self.subject = self.make_mapping()

    def make_mapping(self) -> MutableMapping[Any, Any]:
        """Return the mapping to be tried, empty. Called once a run; `own_folder` is the run's own."""
        raise NotImplementedError

    def compare(self) -> None:
        """Compare keys and values, with their types, in order unless `ordered` is false."""
        expected, actual = list(self.model.items()), list(self.subject.items())
        if not self.ordered:
            expected.sort(key=repr)
            actual.sort(key=repr)
        assert same(expected, actual), f"{actual!r} where {expected!r} was expected"

    # Keys and what is held

    @initialize(target=known_keys, keys=st.lists(KEYS, min_size=2, max_size=6))
    def know_some_keys(self, keys: list[Any]) -> MultipleResults[Any]:
        """Have keys that come up again and again, so that hits and overwrites are common."""
        return multiple(*keys)

    @initialize(items=st.lists(st.tuples(KEYS, VALUES), max_size=9))
    def begin_with_items(self, items: list[tuple[Any, Any]]) -> None:
        """Begin with some items, so that not all of a run is spent near empty."""
        self.agree(lambda mapping: mapping.update(fresh(items)))

    @rule(target=known_keys, key=KEYS)
    def know_another_key(self, key: Any) -> Any:
        """Have one more of them."""
        return key

    @precondition(lambda self: self.keeps_changes)
    @rule(target=held, key=known_keys, value=VALUES.map(make_mutable))
    def set_and_hold(self, key: Any, value: Any) -> Pair:
        """Put a value in, and keep a reference to it."""
        pair = Pair(fresh(value), fresh(value))
        self.model[key] = pair.mine
        self.subject[key] = pair.theirs
        return pair

    @precondition(lambda self: self.keeps_changes and has_mutable(self.model.values()))
    @rule(target=held, key=MUTABLE_PLACES)
    def get_and_hold(self, key: Any) -> Any:
        """Take a value out, and keep a reference to it."""
        return self.agree(lambda mapping: mapping[key])

    @precondition(lambda self: self.keeps_changes)
    @rule(pair=held, item=strategies.scalars())
    def change_what_is_held(self, pair: Pair, item: Any) -> None:
        """Change a value through a reference from before: the mapping must show it."""
        pair.change(item)

    @precondition(lambda self: self.keeps_changes and has_mutable(self.model.values()))
    @rule(key=MUTABLE_PLACES, item=strategies.scalars())
    def change_in_place(self, key: Any, item: Any) -> None:
        """Change a value where it is, as ``d[key].append(item)`` does."""
        self.agree(lambda mapping: mapping[key]).change(item)

    @precondition(lambda self: self.keeps_changes)
    @rule(key=known_keys, item=strategies.scalars())
    def change_a_default(self, key: Any, item: Any) -> None:
        """Change what `setdefault` returned, as ``d.setdefault(key, []).append(item)`` does."""
        self.agree(lambda mapping: mapping.setdefault(key, [])).change(item)

    # One key

    @rule(key=known_keys, value=VALUES)
    def set_item(self, key: Any, value: Any) -> None:
        """``d[key] = value``."""
        self.agree(lambda mapping: mapping.__setitem__(key, fresh(value)))

    @rule(key=known_keys)
    def get_item(self, key: Any) -> None:
        """``d[key]``."""
        self.agree(lambda mapping: mapping[key])

    @rule(key=known_keys, default=VALUES)
    def get_with_default(self, key: Any, default: Any) -> None:
        """``d.get(key)`` and ``d.get(key, default)``."""
        self.agree(lambda mapping: [mapping.get(key), mapping.get(key, fresh(default))])

    @rule(key=known_keys)
    def contains(self, key: Any) -> None:
        """``key in d``, and in its views."""
        self.agree(lambda mapping: [key in mapping, key not in mapping, key in mapping.keys()])  # noqa: SIM118 -- the view is what is tried

    @rule(key=known_keys)
    def delete(self, key: Any) -> None:
        """``del d[key]``."""
        self.agree(lambda mapping: mapping.__delitem__(key))

    @rule(key=known_keys)
    def pop(self, key: Any) -> None:
        """``d.pop(key)``."""
        self.agree(lambda mapping: mapping.pop(key))

    @rule(key=known_keys, default=VALUES)
    def pop_with_default(self, key: Any, default: Any) -> None:
        """``d.pop(key, default)``."""
        self.agree(lambda mapping: mapping.pop(key, fresh(default)))

    @rule(key=known_keys, value=VALUES)
    def set_default(self, key: Any, value: Any) -> None:
        """``d.setdefault(key, value)``."""
        self.agree(lambda mapping: mapping.setdefault(key, fresh(value)))

    @precondition(lambda self: self.dict_like)
    @rule(key=known_keys)
    def set_default_none(self, key: Any) -> None:
        """``d.setdefault(key)``."""
        self.agree(lambda mapping: mapping.setdefault(key))

    @rule()
    def pop_item(self) -> None:
        """``d.popitem()``: the last item, or any where the mapping is not `dict_like`."""
        if self.dict_like or not self.model:
            self.agree(lambda mapping: mapping.popitem())
            return
        key, value = self.subject.popitem()
        assert key in self.model, f"popitem returned {key!r}, which was not there"
        assert same(value, self.model.pop(key))

    # Many keys

    @rule(items=ITEMS)
    def update_from_mapping(self, items: list[tuple[Any, Any]]) -> None:
        """``d.update(mapping)``."""
        self.agree(lambda mapping: mapping.update(fresh(dict(items))))

    @rule(items=ITEMS)
    def update_from_pairs(self, items: list[tuple[Any, Any]]) -> None:
        """``d.update(iterable of pairs)``."""
        self.agree(lambda mapping: mapping.update(iter(fresh(items))))

    @rule(items=ITEMS)
    def update_from_keys_and_getitem(self, items: list[tuple[Any, Any]]) -> None:
        """``d.update(something with keys() and [])``."""
        self.agree(lambda mapping: mapping.update(_OnlyKeys(fresh(items))))

    @rule(items=ITEMS)
    def update_from_broken_iterable(self, items: list[tuple[Any, Any]]) -> None:
        """``d.update(pairs)`` where the pairs end in an error: what came before it is in."""

        def broken() -> Any:
            yield from fresh(items)
            raise _Unfinished

        self.agree(lambda mapping: mapping.update(broken()))

    @rule()
    def update_from_itself(self) -> None:
        """``d.update(d)``."""
        self.agree(lambda mapping: mapping.update(mapping))

    @precondition(lambda self: self.dict_like)
    @rule(junk=st.sampled_from([5, [1], [(1, 2, 3)], ["ab", "c"]]))
    def update_from_junk(self, junk: Any) -> None:
        """``d.update`` of what is neither mapping nor pairs."""
        self.agree(lambda mapping: mapping.update(junk))

    @rule(times=st.integers(1, 2))
    def clear(self, times: int) -> None:
        """``d.clear()``, perhaps twice."""
        for _ in range(times):
            self.agree(lambda mapping: mapping.clear())

    # Views and iteration

    @rule(others=st.lists(KEYS, max_size=4))
    def combine_key_views(self, others: list[Any]) -> None:
        """Set operators on ``d.keys()``, on either side."""
        self.agree(lambda mapping: _set_algebra(mapping.keys(), set(others)))

    @rule(key=known_keys, other=VALUES, there=st.booleans())
    def combine_item_views(self, key: Any, other: Any, there: bool) -> None:
        """``in`` and `isdisjoint` on ``d.items()``, ``in`` on ``d.values()``."""
        value = fresh(self.model.get(key, other)) if there else other
        pair = (key, value)
        self.agree(
            lambda mapping: [
                pair in mapping.items(),
                mapping.items().isdisjoint([pair]),
                value in mapping.values(),
                len(mapping.keys()) == len(mapping.values()) == len(mapping.items()),
            ]
        )

    @rule(key=known_keys, value=VALUES)
    def views_are_live(self, key: Any, value: Any) -> None:
        """Change the mapping under a view, which must show it."""

        def operation(mapping: Any) -> Any:
            views = mapping.keys(), mapping.values(), mapping.items()
            mapping[key] = fresh(value)
            return [len(view) for view in views] + [key in views[0], (key, value) in views[2]]

        self.agree(operation)

    @precondition(lambda self: self.ordered)
    @rule()
    def iterate(self) -> None:
        """Iterate over the mapping and its views, two at a time."""
        self.agree(lambda mapping: [list(mapping), list(mapping.values()), list(mapping.items())])
        self.agree(lambda mapping: list(zip(mapping, mapping.keys(), mapping, strict=True)))

    @precondition(lambda self: self.dict_like)
    @rule()
    def iterate_backwards(self) -> None:
        """`reversed` on the mapping and its views."""
        self.agree(
            lambda mapping: [
                list(reversed(mapping)),
                list(reversed(mapping.values())),
                list(reversed(mapping.items())),
            ]
        )

    @precondition(lambda self: self.dict_like)
    @rule(steps=st.integers(0, 3), key=known_keys, value=VALUES)
    def grow_or_shrink_while_iterating(self, steps: int, key: Any, value: Any) -> None:
        """Adding or removing a key makes the next step of an iterator an error."""

        def operation(mapping: Any) -> Any:
            iterator = iter(mapping)
            for _ in zip(range(steps), iterator, strict=False):
                pass
            if key in mapping:
                del mapping[key]
            else:
                mapping[key] = fresh(value)
            return next(iterator, "the end")

        self.agree(operation)

    @precondition(lambda self: self.ordered)
    @rule(value=VALUES)
    def overwrite_while_iterating(self, value: Any) -> None:
        """Give keys other values while iterating, which is allowed."""

        def operation(mapping: Any) -> Any:
            seen = []
            for key in mapping:
                mapping[key] = fresh(value)
                seen.append(key)
            return seen

        self.agree(operation)

    # Whole mappings

    @rule(items=ITEMS)
    def compare_with_dicts(self, items: list[tuple[Any, Any]]) -> None:
        """``==`` and ``!=`` with equal and other mappings, and with what is none."""
        other = dict(items)
        self.agree(lambda mapping: [mapping == other, other == mapping, mapping != other])
        self.agree(lambda mapping: [mapping == list(mapping.items()), mapping == 1, mapping != ()])
        assert self.subject == self.model
        assert self.model == self.subject
        assert not self.subject != self.model  # noqa: SIM202 -- `!=` is what is tried

    @precondition(lambda self: self.dict_like)
    @rule(items=ITEMS)
    def unite(self, items: list[tuple[Any, Any]]) -> None:
        """``d | other`` and ``other | d`` give a new mapping, and refuse what is no mapping."""
        self.agree(lambda mapping: dict(mapping | dict(items)))
        self.agree(lambda mapping: dict(dict(items) | mapping))
        self.agree(lambda mapping: mapping | items)

    @precondition(lambda self: self.dict_like)
    @rule(items=ITEMS, as_pairs=st.booleans())
    def unite_in_place(self, items: list[tuple[Any, Any]], as_pairs: bool) -> None:
        """``d |= other`` for mappings and for pairs; it stays the same object."""

        def operation(mapping: Any) -> Any:
            before = mapping
            mapping |= fresh(items) if as_pairs else fresh(dict(items))
            return mapping is before

        self.agree(operation)

    @precondition(lambda self: self.dict_like)
    @rule(key=known_keys)
    def copy_apart(self, key: Any) -> None:
        """``d.copy()`` is equal, and changing it leaves the mapping alone."""

        def operation(mapping: Any) -> Any:
            copied = mapping.copy()
            found = dict(copied)
            copied[key] = "only in the copy"
            return found

        self.agree(operation)

    @precondition(lambda self: self.dict_like)
    @rule(use=st.sampled_from(["get", "set", "in", "delete", "pop", "setdefault", "hash"]))
    def use_unhashable_keys(self, use: str) -> None:
        """Use an unhashable key, which is a `TypeError`, as is hashing the mapping."""
        self.agree(lambda mapping: _unhashable_use(mapping, use))


def _set_algebra(view: Any, other: set[Any]) -> list[Any]:
    results = [view & other, view | other, view - other, view ^ other]
    reflected = [other & view, other | view, other - view, other ^ view]
    tests = [view == other, view <= other, view < other, view >= other, view.isdisjoint(other)]
    return [sorted(map(_blur, result)) for result in results + reflected] + tests


def _blur(key: Any) -> str:
    """Tell equal keys as one: which of two equal elements a set keeps is nobody's promise."""
    return repr(hash(key))


def _unhashable_use(mapping: Any, use: str) -> Any:
    key: Any = []
    uses: dict[str, Any] = {
        "get": lambda: mapping[key],
        "set": lambda: mapping.__setitem__(key, 1),
        "in": lambda: key in mapping,
        "delete": lambda: mapping.__delitem__(key),
        "pop": lambda: mapping.pop(key),
        "setdefault": lambda: mapping.setdefault(key),
        "hash": lambda: hash(mapping),
    }
    return uses[use]()
