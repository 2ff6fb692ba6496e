"""What a function's own name means where it is evaluated: a memoized function of the same signature.

It is generated as Python source for the signature at hand, so that a nested call goes from Python to
Python: recursion costs no C stack, and its depth is bounded by memory alone.
"""

from __future__ import annotations

import functools
import types
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pyspeedup.concurrent._caching.binding import first_argument
from pyspeedup.concurrent._caching.calls import as_call
from pyspeedup.concurrent._caching.costs import Costs
from pyspeedup.concurrent._caching.nested import map_bound_here, map_here, refusals, submit_here
from pyspeedup.concurrent._caching.tally import Tally

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.concurrent._caching.calls import Key, Normalizer
    from pyspeedup.concurrent._caching.parameters import Parameters
    from pyspeedup.core import LocalFunction

__all__ = ["ANSWERED", "Desk", "LocalMethod", "Memory", "fill", "key_begun_in", "shell"]

ANSWERED: Final = object()
"""What `Desk.enter` returns when the value is in memory by now."""

FEW: Final = 8
"""Calls that are noted one by one."""
_MISSING: Final = object()
_FILE_NAME: Final = "<pyspeedup: the memoized form of a function>"


class Desk(Protocol):
    """Where evaluated functions leave notes, and learn what others compute and want."""

    flag: Any
    """Its element 0 is true when there is something to look at."""

    def enter(self, memory: Memory, key: Key, /) -> Any:
        """Look around before computing: `ANSWERED`, a claim to give back afterwards, or None."""

    def leave(self, memory: Memory, key: Key, claim: Any, value: Any, /) -> None:
        """Tell others a value that has been computed."""

    def fail(self, memory: Memory, key: Key, claim: Any, /) -> None:
        """Tell others that there is no value."""

    has_room: bool
    """Whether a note would be kept."""

    def note(self, memory: Memory, key: Key, /) -> None:
        """Take notice that a call will be wanted."""

    def note_lot(
        self, memory: Memory, calls: tuple[tuple[Any, ...], ...], key_of: Normalizer, /
    ) -> None:
        """Take notice of many calls, of which the first is about to be begun."""

    def look(self) -> None:
        """Do what `flag` asks for."""


class Memory:
    """What one process (or pool) knows of one function."""

    __slots__ = (
        "__weakref__",
        "_told",
        "_watch",
        "costs",
        "generation",
        "late",
        "marks",
        "name",
        "number",
        "tally",
        "values",
    )

    def __init__(
        self,
        number: int,
        name: str,
        values: dict[Key, Any] | None = None,
        *,
        generation: int = 0,
        costs: Costs | None = None,
    ) -> None:
        """Know `values`, which are shared, or else nothing."""
        self.number = number
        self.name = name
        self.values = {} if values is None else values
        self.marks: dict[Key, Any] = {}
        """What was noted or left to others, and has not been begun here."""
        self.late: dict[Key, Any] = {}
        """What was claimed after it had been begun, as it takes long."""
        self.generation = generation
        self.costs = costs or Costs()
        self.tally = Tally()
        self._watch = types.CellType()
        self._told = 0
        """How many values have been told of."""

    def watch(self, cell: types.CellType) -> None:
        """Let `cell` of the memoized form say whether each call is to be watched."""
        self._watch = cell
        self.rewatch()

    def rewatch(self) -> None:
        """Have calls watched or no longer, as their costs say."""
        self._watch.cell_contents = self.costs.watched

    def has_tally(self) -> bool:
        """Tell whether anything has happened since `take_tally`."""
        return len(self.values) != self._told or bool(self.tally)

    def take_tally(self) -> Tally:
        """Return what has happened since this was asked last."""
        taken, self.tally = self.tally, Tally()
        taken.calls, self._told = len(self.values) - self._told, len(self.values)
        return taken


# A call keeps to the memory that it began with: while it is under way all may be forgotten, and the
# variables may come to mean another memory, in which what it finds has no place.
_TEMPLATE = """
def make():
    {cells}
    def memoized{signature}:
        _p_key = {key}
        try:
            _p_value = _p_get(_p_key, _p_missing)
        except TypeError:
            _p_normalize({arguments})
            raise
        if _p_value is not _p_missing:
            return _p_value
        _p_own = _p_memory
        _p_known = _p_values
        _p_tardy = _p_late
        _p_claim = None
        if _p_watched or (_p_marks and _p_key in _p_marks):
            _p_claim = _p_enter(_p_own, _p_key)
            if _p_claim is _p_answered:
                return _p_known[_p_key]
        try:
            _p_value = _p_function({call})
        except BaseException:
            if _p_claim is not None or (_p_tardy and _p_key in _p_tardy):
                _p_fail(_p_own, _p_key, _p_claim)
            raise
        _p_known[_p_key] = _p_value
        if _p_claim is not None or (_p_tardy and _p_key in _p_tardy):
            _p_leave(_p_own, _p_key, _p_claim, _p_value)
        return _p_value
    return memoized
"""

_CELLS: Final = (
    *("answered", "enter", "fail", "function", "get", "late", "leave"),
    *("marks", "memory", "missing", "normalize", "values", "watched"),
)


def key_begun_in(frame: types.FrameType) -> tuple[Memory, Key] | None:
    """Return what a frame computes if it is one of a memoized form that has begun, else None."""
    if frame.f_code.co_filename != _FILE_NAME:
        return None
    variables = frame.f_locals
    memory, key = variables.get("_p_own"), variables.get("_p_key")
    return None if memory is None or key is None else (memory, key)


def shell() -> types.FunctionType:
    """Return a function that does nothing yet, to be handed out before what it needs is there."""
    return _generate(
        "(*args, **kwargs)", "_p_normalize(args, kwargs)", "args, kwargs", "*args, **kwargs"
    )


def fill(
    empty: types.FunctionType,
    function: Callable[..., Any],
    memory: Memory,
    desk: Desk,
    normalize: Normalizer,
) -> LocalFunction:
    """Make `empty`, from `shell`, answer for `function`; costs about 0.2 ms, for it compiles."""
    if normalize.memoizes_in_order and normalize.parameters is not None:
        empty.__code__ = _generate_for(normalize.parameters).__code__
        empty.__defaults__ = normalize.parameters.defaults
    meanings = {
        "answered": ANSWERED,
        "enter": desk.enter,
        "fail": desk.fail,
        "function": function,
        "get": memory.values.get,
        "late": memory.late,
        "leave": desk.leave,
        "marks": memory.marks,
        "memory": memory,
        "missing": _MISSING,
        "normalize": normalize,
        "values": memory.values,
    }
    for name, cell in zip(empty.__code__.co_freevars, empty.__closure__ or (), strict=True):
        if name == "_p_watched":
            memory.watch(cell)
        else:
            cell.cell_contents = meanings[name.removeprefix("_p_")]
    functools.update_wrapper(empty, function)
    _add_hints(empty, memory, desk, normalize)
    return cast("LocalFunction", empty)


def _generate_for(parameters: Parameters) -> types.FunctionType:
    required = len(parameters.plain) - len(parameters.defaults)
    signature = [
        name if place < required else f"{name}=None" for place, name in enumerate(parameters.plain)
    ]
    if parameters.positional_only:
        signature.insert(parameters.positional_only, "/")
    names = "".join(f"{name}, " for name in parameters.plain)
    return _generate(
        f"({', '.join(signature)})", f"({names})", f"({names}), {{}}", names.rstrip(", ")
    )


def _generate(signature: str, key: str, arguments: str, call: str) -> types.FunctionType:
    function = _maker_of(signature, key, arguments, call)()
    function.__code__ = function.__code__.replace(co_filename=_FILE_NAME)
    return function


@functools.cache
def _maker_of(
    signature: str, key: str, arguments: str, call: str
) -> Callable[[], types.FunctionType]:
    source = _TEMPLATE.format(
        cells=" = ".join(f"_p_{name}" for name in _CELLS) + " = None",
        signature=signature,
        key=key,
        arguments=arguments,
        call=call,
    )
    namespace: dict[str, Any] = {}
    # The closure must name every cell, used or not, for codes to be exchangeable. Not by `compile`,
    # which takes 0.8 ms to get ready for the first time.
    exec(source, namespace)  # noqa: S102 -- our own template; only parameter names come from outside
    return cast("Callable[[], types.FunctionType]", namespace["make"])


def _add_hints(
    local: types.FunctionType, memory: Memory, desk: Desk, normalize: Normalizer
) -> None:
    flag = desk.flag

    def apply_async(*args: Any, **kwargs: Any) -> None:
        if desk.has_room:
            desk.note(memory, normalize(args, kwargs))
        if flag[0]:
            desk.look()

    def batch_async(*calls: tuple[Any, ...]) -> None:
        for call in calls:
            if type(call) is not tuple:
                as_call(call, memory.name)
        if desk.has_room:
            if len(calls) > FEW:
                desk.note_lot(memory, calls, normalize)
            else:
                note_all(calls)
        if flag[0]:
            desk.look()

    values, marks = memory.values, memory.marks
    in_order = normalize.parameters if normalize.memoizes_in_order else None
    arity = -1 if in_order is None else len(in_order.plain)

    def note_all(calls: tuple[tuple[Any, ...], ...]) -> None:
        """Note all but the first that is not known: the caller is about to ask for that one."""
        is_first = True
        for call in calls:
            key = call if len(call) == arity else normalize(call, {})
            try:
                is_known = key in values
            except TypeError:
                normalize(call, {})
                raise
            if is_known:
                continue
            if not is_first and key not in marks:
                desk.note(memory, key)
            is_first = False

    vars(local).update(refusals(memory.name))
    local.apply_async = apply_async  # type: ignore[attr-defined]  # a function takes attributes
    local.batch_async = batch_async  # type: ignore[attr-defined]  # likewise
    local.submit = functools.partial(submit_here, local)  # type: ignore[attr-defined]  # likewise
    local.map = functools.partial(map_here, local)  # type: ignore[attr-defined]  # likewise


class LocalMethod:
    """What a memoized method is in a class: bound to an instance or the class, its hints are bound too."""

    def __init__(self, local: types.FunctionType, binding: Binding = "instance") -> None:
        """Stand for `local`, whose first argument is what `binding` says."""
        self.local: Any = local
        self.binding: Binding = binding
        self._latest: tuple[Any, Any, Any] = (None, None, None)
        """What it was bound to last, by which form of the function, and what came of it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it unbound."""
        return self.local(*args, **kwargs)

    def apply_async(self, *args: Any, **kwargs: Any) -> None:
        """Hint at a call, unbound."""
        self.local.apply_async(*args, **kwargs)

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Hint at calls, unbound."""
        self.local.batch_async(*calls)

    def submit(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate a call, unbound, and return its future."""
        return self.local.submit(*args, **kwargs)

    def map(self, *iterables: Any, **options: Any) -> Any:
        """Evaluate calls, unbound, as their results are asked for."""
        return self.local.map(*iterables, **options)

    def __getattr__(self, name: str) -> Any:
        """Return what the function has of this name; only reached for what is not here."""
        if name == "local":  # while it is copied or read from a pickle
            raise AttributeError(name)
        return getattr(self.local, name)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to `instance` or `owner`, as a function of Python that calls on without C between."""
        binding = self.binding
        first = instance if binding == "instance" else first_argument(binding, instance, owner)
        if first is None:
            return self.local if binding == "static" else self
        known, form, bound = self._latest
        if known is not first or form is not self.local.apply_async:  # made anew by each `fill`
            bound = self._bound(first)
            self._latest = (first, self.local.apply_async, bound)
        return bound

    def _bound(self, first: Any) -> Any:
        local = self.local

        def bound(*args: Any, **kwargs: Any) -> Any:
            return local(first, *args, **kwargs)

        def batch_async(*calls: tuple[Any, ...]) -> None:
            local.batch_async(*((first, *as_call(call, local.__name__)) for call in calls))

        vars(bound).update(refusals(local.__name__))
        bound.__wrapped__ = types.MethodType(local.__wrapped__, first)  # type: ignore[attr-defined]  # a function takes attributes
        bound.submit = functools.partial(local.submit, first)  # type: ignore[attr-defined]  # likewise
        bound.map = functools.partial(map_bound_here, local, first)  # type: ignore[attr-defined]  # likewise
        bound.apply_async = functools.partial(local.apply_async, first)  # type: ignore[attr-defined]  # likewise
        bound.batch_async = batch_async  # type: ignore[attr-defined]  # likewise
        return bound
