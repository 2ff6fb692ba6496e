"""What each function's name means in a worker: its memoized form, made once for each structure."""

from __future__ import annotations

import itertools
import sys
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching.calls import Normalizer
from pyspeedup.concurrent._caching.costs import Costs
from pyspeedup.concurrent._caching.local import LocalMethod, Memory, fill, shell
from pyspeedup.concurrent._processes import shipping

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.concurrent._caching.desk import Desk
    from pyspeedup.concurrent._caching.messages import Shipment

__all__ = ["Known", "Meanings"]


@dataclass(eq=False, slots=True)
class Known:
    """A function that this worker knows, or (memory is None) has only heard of."""

    local: types.FunctionType
    meaning: Any
    function: Callable[..., Any] | None = None
    normalize: Normalizer | None = None
    memory: Memory | None = None
    generation: int | None = None
    """That of the function itself, where it came from the engine."""


class Meanings:
    """The functions that this worker knows, by number, by identity and by what they were made from."""

    def __init__(self, desk: Desk) -> None:
        """Know nothing yet."""
        self._desk = desk
        self._by_number: dict[int, Known] = {}
        self._by_identity: dict[str, Known] = {}
        self._own_numbers = itertools.count(-1, -1)
        self._generations: Mapping[int, int] = {}

    def __getitem__(self, number: int) -> Known:
        """Return what is known under a number; `KeyError` if nothing is."""
        return self._by_number[number]

    def __contains__(self, number: int) -> bool:
        """Tell whether a number is known."""
        return number in self._by_number

    def learn(self, shipment: Shipment) -> None:
        """Take in a function that came from the engine, or its newer form."""
        known = self._by_identity.get(shipment.identity)
        if known is None:
            self.shell(shipment.identity, shipment.binding)
            known = self._by_identity[shipment.identity]
            how = (shipment.kind, shipment.identity, lambda: self._definition(shipment.identity))
            shipping.set_meaning(shipment.identity, known.meaning, how)
        if known.memory is None or known.generation != shipment.generation:
            self._fill(known, shipping.loads(shipment.data), shipment.name)
        assert known.memory is not None  # noqa: S101 -- `_fill` has just made it
        known.memory.number = shipment.number
        known.generation = known.memory.generation = shipment.generation
        self._by_number[shipment.number] = known
        _rebind_in_module(known, shipment.identity)

    def forget(self, generations: Mapping[int, int]) -> None:
        """Begin a new memory for each function whose own is not of the generation given here."""
        self._generations = generations
        for number, generation in generations.items():
            known = self._by_number.get(number)
            if known is not None and known.memory and known.memory.generation != generation:
                self._begin_memory(known, number, known.memory.name, generation)

    def adopt(self, function: Callable[..., Any], structure: Any) -> int:
        """Take in a function that a structure stands for which lives in this very process.

        Its module may have been imported here, or come along with a fork. One that was imported
        is the same as one of equal source that is known already.
        """
        name: str = structure.__name__
        known = self._by_identity.get(structure.identity) or self._twin(function)
        if known is None or known.memory is None:
            self.shell(structure.identity, structure.binding)
            known = self._by_identity[structure.identity]
            self._fill(known, function, name)
        self._by_identity[structure.identity] = known
        _rebind_in_module(known, structure.identity)
        assert known.memory is not None  # noqa: S101 -- `_fill` has just made it
        return known.memory.number

    def shell(self, identity: str, binding: Binding) -> Any:
        """Return what `identity` is to mean here, still empty."""
        local = shell()
        meaning = LocalMethod(local, binding) if binding else local
        self._by_identity[identity] = Known(local, meaning)
        return meaning

    def fill(
        self, identity: str, function: Callable[..., Any], name: str, number: int | None
    ) -> None:
        """Make what `shell` returned work; `number` is the engine's, where it has one."""
        known = self._by_identity[identity]
        self._fill(known, function, name, number)

    def _fill(
        self, known: Known, function: Callable[..., Any], name: str, number: int | None = None
    ) -> None:
        known.function = function
        known.normalize = Normalizer(function)
        number = next(self._own_numbers) if number is None else number
        self._by_number[number] = known
        self._begin_memory(known, number, name, self._generations.get(number, 0))
        _rebind_own_name(function, known.meaning)

    def _begin_memory(self, known: Known, number: int, name: str, generation: int) -> None:
        """Remember afresh; what calls cost is known as before."""
        assert known.function is not None  # noqa: S101 -- only what has been filled has a memory
        assert known.normalize is not None  # noqa: S101 -- likewise
        former = known.memory
        costs = Costs() if former is None else former.costs
        if former is not None:
            former.watch(types.CellType())  # what is under way there has no say any more
        known.memory = memory = Memory(number, name, generation=generation, costs=costs)
        fill(known.local, known.function, memory, self._desk, known.normalize)
        self._desk.look_after(memory)

    def _twin(self, function: Callable[..., Any]) -> Known | None:
        picture = _picture(function)
        candidates = self._by_identity.values() if picture is not None else ()
        return next((k for k in candidates if k.function and _picture(k.function) == picture), None)

    def _definition(self, identity: str) -> tuple[Any, ...]:
        known = self._by_identity[identity]
        binding = known.meaning.binding if isinstance(known.meaning, LocalMethod) else ""
        return (identity, known.function, binding, None, (None, None, None))


def _picture(function: Callable[..., Any]) -> tuple[Any, ...] | None:
    """Return what two functions share that were made by importing the same module twice."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_freevars or "<locals>" in function.__qualname__:
        return None
    return (function.__module__, function.__qualname__, code)


def _rebind_in_module(known: Known, identity: str) -> None:
    """Let the name of a structure in its module, in this process, mean the memoized form.

    The structure would find it too, but through C, and so not for a recursion of any depth.
    """
    module = sys.modules.get(getattr(known.function, "__module__", None) or "")
    name = getattr(known.function, "__name__", "")
    if getattr(getattr(module, name, None), "identity", None) == identity:
        setattr(module, name, known.meaning)


def _rebind_own_name(function: Callable[..., Any], meaning: Any) -> None:
    """Let a name that still holds the bare function mean its memoized form.

    It does where a program keeps both, as in ``fast = Cache(slow)``. Only a function that came by
    value is changed, for its variables are its own; those of a module are everybody's.
    """
    namespace = getattr(function, "__globals__", {})
    name = getattr(function, "__name__", "")
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    if namespace.get(name) is function and getattr(module, "__dict__", None) is not namespace:
        namespace[name] = meaning
    for cell in getattr(function, "__closure__", None) or ():
        try:
            holds_function = cell.cell_contents is function
        except ValueError:  # it is not filled yet
            continue
        if holds_function:
            cell.cell_contents = meaning
