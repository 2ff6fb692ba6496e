"""What each function's name means in a worker: its memoized form, made once for each structure."""

from __future__ import annotations

import itertools
import sys
import types
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakValueDictionary

from pyspeedup.concurrent._caching.calls import Normalizer
from pyspeedup.concurrent._caching.costs import Costs
from pyspeedup.concurrent._caching.local import LocalMethod, Memory, fill, shell
from pyspeedup.concurrent._processes import shipping

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.concurrent._caching.desk import Desk
    from pyspeedup.concurrent._caching.messages import Alive, Shipment

__all__ = ["Known", "KnownAs", "Meanings"]

KnownAs: TypeAlias = tuple[int, int]
"""What an engine knows a form of a function by: its number and its generation."""


class Known:
    """A function that this worker knows, or (memory is None) has only heard of."""

    __slots__ = (
        *("function", "generation", "identity", "local", "meaning", "memory", "normalize"),
        *("own_number", "__weakref__"),
    )

    def __init__(self, local: types.FunctionType, meaning: Any, identity: str) -> None:
        """Have heard of it."""
        self.local = local
        self.meaning = meaning
        self.identity = identity
        self.function: Callable[..., Any] | None = None
        self.normalize: Normalizer | None = None
        self.memory: Memory | None = None
        self.generation: int | None = None
        """That of the function itself, where it came from the engine."""
        self.own_number: int | None = None
        """By which it is known in this worker alone, for good, where that is needed."""


class Meanings:
    """The functions that this worker knows, by number, by identity and by what they were made from."""

    def __init__(self, desk: Desk) -> None:
        """Know nothing yet."""
        self._desk = desk
        self._by_number: WeakValueDictionary[int, Known] = WeakValueDictionary()
        self._by_identity: WeakValueDictionary[str, Known] = WeakValueDictionary()
        self._kept: set[Known] = set()
        """Those that live as long as the engine does not say otherwise."""
        self._own_numbers = itertools.count(-1, -1)
        self._newest: dict[str, int] = {}
        """The newest generation that the engine has told of, by identity."""
        self._aside: dict[str, Shipment] = {}
        """What the engine has sent and nobody has needed yet, or what has failed to arrive."""
        self._identities: dict[int, str] = {}
        """What was sent under each number."""

    def __getitem__(self, number: int) -> Known:
        """Return what is known under a number; `KeyError` if nothing is."""
        return self._by_number[number]

    def __contains__(self, number: int) -> bool:
        """Tell whether a number is known."""
        return number in self._by_number

    def of(self, memory: Memory) -> Known | None:
        """Return whose memory this is; None if all was forgotten meanwhile, and it has another."""
        known = self._by_number.get(memory.number)
        return known if known is not None and known.memory is memory else None

    def hold(self, number: int) -> Known:
        """Return what is known, for a structure in this process that alone keeps it from now on.

        Unless the engine knows it: that says when it is to be dropped.
        """
        known = self._by_number[number]
        if known.generation is None:
            self._kept.discard(known)
        return known

    # What comes from the engine ---------------------------------------------------------------

    def learn(self, number: int, shipment: Shipment | None) -> None:
        """Have a function known that is about to be called; one that fails to arrive is tried again each time."""
        if shipment is not None:
            self._identities[number] = shipment.identity
            self._put_aside(shipment)
        aside = self._aside.get(self._identities.get(number, ""))
        if aside is not None:
            self._take_in(aside)
        if number not in self._by_number:
            self._by_number[number] = self._by_identity[self._identities[number]]

    def renew(self, news: Sequence[Shipment]) -> None:
        """Take in functions that were told to forget, where they are known; else keep them until they are."""
        for shipment in news:
            self._identities[shipment.number] = shipment.identity
            self._newest[shipment.identity] = shipment.generation
            if shipment.data:
                self._put_aside(shipment)
            known = self._by_identity.get(shipment.identity)
            if known is not None and known.memory is not None:
                self._renew(known, shipment)
        if news:
            self._forget_what_came_by_itself()

    def keep_only(self, alive: Alive) -> None:
        """Let go of what was the engine's and is not alive any more; what is under way has its own hold on it."""
        numbers = {number for number in {*self._identities, *self._by_number} if number > 0}
        gone = {number for number in numbers if not alive.has(number)}
        lasting = {self._identity_of(number) for number in numbers - gone}
        for number in gone:
            identity = self._identity_of(number)
            self._identities.pop(number, None)
            known = self._by_number.pop(number, None)
            if identity not in lasting:
                self._drop(identity, known)

    def _drop(self, identity: str, known: Known | None) -> None:
        self._aside.pop(identity, None)
        self._newest.pop(identity, None)
        shipping.unset_meaning(identity)
        if known is not None:
            self._kept.discard(known)
            if (
                known.memory is not None
            ):  # else its values stay until rings of objects are looked for
                self._begin_memory(known, None, known.memory.name)

    def _identity_of(self, number: int) -> str:
        known = self._by_number.get(number)
        return self._identities[number] if known is None else known.identity

    def _put_aside(self, shipment: Shipment) -> None:
        """Keep a function until it is needed, unless it is known in this form or a newer one."""
        known = self._by_identity.get(shipment.identity)
        aside = self._aside.get(shipment.identity)
        if known is not None and _is_as_new(known, shipment.generation):
            return
        if aside is None or aside.generation <= shipment.generation:
            self._aside[shipment.identity] = shipment

    def _renew(self, known: Known, shipment: Shipment) -> None:
        if _is_as_new(known, shipment.generation):
            return
        if shipment.data:
            try:
                self._take_in(shipment)
            except Exception:  # noqa: BLE001 -- a class's own code may fail; that is for its callers
                self._withhold(known, shipment)
        else:
            self._begin_memory(known, None, shipment.name)

    def _take_in(self, shipment: Shipment) -> None:
        """Let a function be what came from the engine; raises what keeps it from arriving."""
        identity = shipment.identity
        if identity not in self._by_identity:
            self.shell(identity, shipment.binding)
        known = self._by_identity[identity]
        how = (shipment.kind, identity, lambda: self._definition(identity))
        shipping.set_meaning(identity, known.meaning, how)
        if not _is_as_new(known, shipment.generation):
            function = shipping.loads(shipment.data)
            known.generation = shipment.generation
            self._kept.add(known)
            self._fill(known, function, shipment.name, shipment.number)
        self._aside.pop(identity, None)
        _rebind_in_module(known, identity)

    def _withhold(self, known: Known, shipment: Shipment) -> None:
        """Let each call of a function try again to have it arrive, or raise what is wrong."""

        def try_again(*args: Any, **kwargs: Any) -> Any:
            self._take_in(shipment)
            return known.function(*args, **kwargs)  # type: ignore[misc]  # it has just arrived

        known.function, known.generation = try_again, None
        self._begin_memory(known, None, shipment.name)

    def _forget_what_came_by_itself(self) -> None:
        """Begin new memories of what was imported here: it may be the twin of what is news."""
        for known in {*self._by_identity.values()}:
            if known.memory is not None and known.generation is None:
                self._begin_memory(known, None, known.memory.name)

    # What comes otherwise ---------------------------------------------------------------------

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
            self.fill(structure.identity, function, name, None)
        self._by_identity[structure.identity] = known
        _rebind_in_module(known, structure.identity)
        return self._own_number(known)  # the engine's may come and go

    def shell(self, identity: str, binding: Binding) -> Any:
        """Return what `identity` is to mean here, still empty."""
        local = shell()
        meaning = LocalMethod(local, binding) if binding else local
        self._by_identity[identity] = known = Known(local, meaning, identity)
        self._kept.add(known)
        return meaning

    def fill(
        self, identity: str, function: Callable[..., Any], name: str, known_as: KnownAs | None
    ) -> None:
        """Make what `shell` returned work, by what the engine has sent itself if that is newer.

        `known_as` are the engine's number of the function and the generation of this form, where it has them.
        """
        known = self._by_identity[identity]
        number, generation = known_as or (None, None)
        aside = self._aside.get(identity)
        if aside is not None and (generation is None or aside.generation > generation):
            self._take_in(aside)
            return
        known.generation = generation
        self._fill(known, function, name, number)

    def _fill(
        self, known: Known, function: Callable[..., Any], name: str, number: int | None
    ) -> None:
        known.function = function
        known.normalize = Normalizer(function)
        self._begin_memory(known, number, name)
        _rebind_own_name(function, known.meaning)

    def _begin_memory(self, known: Known, number: int | None, name: str) -> None:
        """Remember afresh; what calls cost is known as before.

        `number` is the engine's. Others are told of what is remembered only if this form of the function has
        one and is the newest: they could not tell it from another form.
        """
        assert known.function is not None  # noqa: S101 -- only what has been filled has a memory
        assert known.normalize is not None  # noqa: S101 -- likewise
        former = known.memory
        costs = Costs() if former is None else former.costs
        if former is not None:
            former.watch(types.CellType())  # what is under way there has no say any more
        if number is not None:
            self._by_number[number] = known
        if number is None or not _is_as_new(known, self._newest.get(known.identity, 0)):
            number = self._own_number(known)
        known.memory = memory = Memory(number, name, generation=known.generation or 0, costs=costs)
        fill(known.local, known.function, memory, self._desk, known.normalize)
        self._desk.look_after(memory)

    def _own_number(self, known: Known) -> int:
        if known.own_number is None:
            known.own_number = next(self._own_numbers)
            self._by_number[known.own_number] = known
        return known.own_number

    def _twin(self, function: Callable[..., Any]) -> Known | None:
        picture = _picture(function)
        candidates = [*self._by_identity.values()] if picture is not None else ()
        return next((k for k in candidates if k.function and _picture(k.function) == picture), None)

    def _definition(self, identity: str) -> tuple[Any, ...]:
        known = self._by_identity[identity]
        binding = known.meaning.binding if isinstance(known.meaning, LocalMethod) else ""
        return (identity, known.function, binding, None, (None, None, None))


def _is_as_new(known: Known, generation: int) -> bool:
    return known.generation is not None and known.generation >= generation


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
