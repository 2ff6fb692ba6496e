"""What a function's own name means where it is evaluated: a memoized function of the same signature.

It is generated as Python source for the signature at hand, so that a nested call goes from Python to
Python: recursion costs no C stack, and its depth is bounded by memory alone.
"""

from __future__ import annotations

import functools
import inspect
import math
import types
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from pyspeedup.concurrent._caching.calls import as_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.calls import Key, Normalizer
    from pyspeedup.core import LocalFunction

__all__ = ["ANSWERED", "Desk", "Duty", "LocalMethod", "Memory", "fill", "shell"]

ANSWERED: Final = object()
"""What `Desk.enter` returns when the value is in memory by now."""

_MISSING: Final = object()
_FILE_NAME: Final = "<pyspeedup: the memoized form of a function>"


class Duty(Protocol):
    """Somebody else waits for what is computed on the spot."""

    def tell(self, value: Any, /) -> None:
        """Hand them the value."""

    def fail(self, error: BaseException, /) -> None:
        """Hand them the error."""


class Desk(Protocol):
    """Where evaluated functions leave notes and learn that others are idle."""

    flag: Any
    """Its element 0 changes when there is something to look at."""
    seen: list[int]
    """Its element 0 is the flag as it was looked at last."""

    def enter(self, memory: Memory, key: Key, /) -> Duty | object | None:
        """Look around before computing: `ANSWERED`, what to do afterwards, or None."""

    def has_room(self) -> bool:
        """Whether a note would be kept."""

    def note(self, memory: Memory, key: Key, /) -> None:
        """Take notice that a call will be wanted."""


@dataclass(eq=False, slots=True)
class Memory:
    """What one process (or pool) knows of one function."""

    number: int
    name: str
    values: dict[Key, Any] = field(default_factory=dict)
    running: set[Key] = field(default_factory=set)
    given: dict[Key, Any] = field(default_factory=dict)
    generation: int = 0
    mean: float = math.inf
    """Seconds that one call takes by itself, as far as anybody has measured."""
    mark: tuple[int, float, int] = (0, 0.0, 0)
    """Where the present measurement began: which stack, when, with how many values."""


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
        _p_own, _p_duty = _p_values, None
        if _p_given or _p_flag[0] != _p_seen[0]:
            _p_duty = _p_enter(_p_key)
            if _p_duty is _p_answered:
                return _p_own[_p_key]
        _p_running.add(_p_key)
        try:
            _p_value = _p_function({call})
        except BaseException as _p_error:
            _p_running.discard(_p_key)
            if _p_duty is not None:
                _p_duty.fail(_p_error)
            raise
        _p_running.discard(_p_key)
        _p_own[_p_key] = _p_value
        if _p_duty is not None:
            _p_duty.tell(_p_value)
        return _p_value
    return memoized
"""

_CELLS: Final = (
    *("answered", "enter", "flag", "function", "get", "given"),
    *("missing", "normalize", "running", "seen", "values"),
)


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
    if normalize.memoizes_in_order and normalize.signature is not None:
        generated = _generate_for(normalize.signature)
        empty.__code__ = generated.__code__
        empty.__defaults__ = tuple(
            parameter.default
            for parameter in normalize.signature.parameters.values()
            if parameter.default is not parameter.empty
        )
    meanings = {
        "answered": ANSWERED,
        "enter": functools.partial(desk.enter, memory),
        "flag": desk.flag,
        "function": function,
        "get": memory.values.get,
        "given": memory.given,
        "missing": _MISSING,
        "normalize": normalize,
        "running": memory.running,
        "seen": desk.seen,
        "values": memory.values,
    }
    for name, cell in zip(empty.__code__.co_freevars, empty.__closure__ or (), strict=True):
        cell.cell_contents = meanings[name.removeprefix("_p_")]
    functools.update_wrapper(empty, function)
    _add_hints(empty, memory, desk, normalize)
    return cast("LocalFunction", empty)


def _generate_for(signature: inspect.Signature) -> types.FunctionType:
    parameters = [
        parameter.replace(
            annotation=parameter.empty,
            default=parameter.empty if parameter.default is parameter.empty else None,
        )
        for parameter in signature.parameters.values()
    ]
    names = "".join(f"{parameter.name}, " for parameter in parameters)
    return _generate(
        str(inspect.Signature(parameters)), f"({names})", f"({names}), {{}}", names.rstrip(", ")
    )


@functools.cache
def _code_of(signature: str, key: str, arguments: str, call: str) -> types.CodeType:
    source = _TEMPLATE.format(
        cells=" = ".join(f"_p_{name}" for name in _CELLS) + " = None",
        signature=signature,
        key=key,
        arguments=arguments,
        call=call,
    )
    # The closure must name every cell, used or not, for codes to be exchangeable.
    return compile(source, _FILE_NAME, "exec")


def _generate(signature: str, key: str, arguments: str, call: str) -> types.FunctionType:
    namespace: dict[str, Any] = {}
    exec(_code_of(signature, key, arguments, call), namespace)  # noqa: S102 -- our own template; only parameter names come from outside
    return cast("types.FunctionType", namespace["make"]())


def _add_hints(
    local: types.FunctionType, memory: Memory, desk: Desk, normalize: Normalizer
) -> None:
    has_room = desk.has_room

    def apply_async(*args: Any, **kwargs: Any) -> None:
        if has_room():
            desk.note(memory, normalize(args, kwargs))

    def batch_async(*calls: tuple[Any, ...]) -> None:
        for call in calls:
            if type(call) is not tuple:
                as_call(call, memory.name)
        if has_room():
            for call in calls:
                desk.note(memory, normalize(call, {}))

    local.apply_async = apply_async  # type: ignore[attr-defined]  # a function takes attributes
    local.batch_async = batch_async  # type: ignore[attr-defined]  # likewise


class LocalMethod:
    """What a memoized method is in a class: bound to an instance, its hints are bound too."""

    def __init__(self, local: types.FunctionType) -> None:
        """Stand for `local`, whose first argument is the instance."""
        self.local: Any = local

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it unbound."""
        return self.local(*args, **kwargs)

    def apply_async(self, *args: Any, **kwargs: Any) -> None:
        """Hint at a call, unbound."""
        self.local.apply_async(*args, **kwargs)

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Hint at calls, unbound."""
        self.local.batch_async(*calls)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to `instance`, as a function of Python that calls on without C between."""
        if instance is None:
            return self
        local = self.local

        def bound(*args: Any, **kwargs: Any) -> Any:
            return local(instance, *args, **kwargs)

        def batch_async(*calls: tuple[Any, ...]) -> None:
            local.batch_async(*((instance, *as_call(call, local.__name__)) for call in calls))

        bound.__wrapped__ = types.MethodType(local.__wrapped__, instance)  # type: ignore[attr-defined]  # a function takes attributes
        bound.apply_async = functools.partial(local.apply_async, instance)  # type: ignore[attr-defined]  # likewise
        bound.batch_async = batch_async  # type: ignore[attr-defined]  # likewise
        return bound
