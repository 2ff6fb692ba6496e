"""One form for all spellings of a call, so that ``f(1)``, ``f(n=1)`` and a default are one key."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pyspeedup.concurrent._caching.parameters import (
    REQUIRED,
    Parameters,
    parameters_of,
    signature_of,
)

if TYPE_CHECKING:
    import inspect

__all__ = ["Key", "Keywords", "Normalizer", "arguments_of", "as_call"]

Key: TypeAlias = tuple[Hashable, ...]
"""The positional arguments; then, where there are others, `Keywords` and names and values in turn."""

_UNREAD: Final = object()


class Keywords:
    """Stands between the positional and the keyword arguments in a key."""


class Normalizer:
    """Makes the key of a call of one function.

    Arguments are put in the order of the signature and hashable defaults filled in. A function
    without a signature (some built-ins) is taken to mean what was written.

    >>> key = Normalizer(lambda n, base=10, *, strict=False: ...)
    >>> key((7,), {}) == key((), {"n": 7}) == key((7, 10), {"strict": False})
    True
    >>> arguments_of(key((7,), {}))
    ((7, 10), {'strict': False})
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Read the parameters, once."""
        self.function = function
        self.name = getattr(function, "__qualname__", repr(function))
        self.parameters = parameters = parameters_of(function)
        self._fills_in = parameters is None or _has_hashable_defaults(parameters)
        self._tails = _tails(parameters) if parameters and self._fills_in else {}
        self.memoizes_in_order = (
            parameters is not None
            and self._fills_in
            and not parameters.takes_more
            and not parameters.named
        )
        """Whether the key of every call is a tuple of one argument for each parameter."""
        self.names_some = bool(parameters and parameters.named)
        """Whether some arguments can only be passed by name."""
        self._read_signature: Any = _UNREAD

    @property
    def _signature(self) -> inspect.Signature | None:
        """What Python itself says, read when an argument is named or a call is wrong."""
        if self._read_signature is _UNREAD:
            self._read_signature = signature_of(self.function)
        signature: inspect.Signature | None = self._read_signature
        return signature

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
        """Return the key of a call; costs 0.1 us where no argument is named, some 5 us otherwise.

        `TypeError` if the function does not take these arguments, or one is not hashable.
        """
        tail = None if kwargs else self._tails.get(len(args))
        key = self._bind(args, kwargs) if tail is None else args + tail
        try:
            hash(key)
        except TypeError:
            raise self._explain(args, kwargs) from None
        return key

    def keys_of(self, calls: list[tuple[Any, ...]]) -> list[Key]:
        """Return the keys of calls without named arguments, all of one length.

        At no cost where the function takes just so many arguments; they may not be hashable then.
        """
        tail = self._tails.get(len(calls[0])) if calls else ()
        if tail is None:
            return [self(call, {}) for call in calls]
        return [call + tail for call in calls] if tail else calls

    def _bind(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
        if self._signature is None:
            return _join(args, kwargs)
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}() {error}") from None
        if self._fills_in:
            bound.apply_defaults()
        return _join(bound.args, bound.kwargs)

    def _explain(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> TypeError:
        """Name the first argument that cannot be part of a key."""
        named = {f"number {number}": value for number, value in enumerate(args)} | kwargs
        if self._signature is not None:
            named = dict(self._signature.bind(*args, **kwargs).arguments)
        name, value = next(item for item in named.items() if not _is_hashable(item[1]))
        return TypeError(
            f"{self.name}(): argument {name!r} is {_shorten(value)}, of unhashable type "
            f"{type(value).__qualname__!r}; a cached call is found by its arguments, so pass "
            "something hashable (a tuple for a list, a frozenset for a set)"
        )


def arguments_of(key: Key) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments that a key stands for, in O(their number).

    >>> arguments_of((1, 2))
    ((1, 2), {})
    """
    # By identity: an argument's own ``==`` need not be able to compare with anything.
    middle = next((place for place, part in enumerate(key) if part is Keywords), None)
    if middle is None:
        return key, {}
    rest = iter(key[middle + 1 :])
    return key[:middle], {str(name): value for name, value in zip(rest, rest, strict=True)}


def as_call(call: Any, name: str) -> tuple[Any, ...]:
    """Return `call` if it is a tuple of arguments, else raise the `TypeError` that says so.

    >>> as_call(7, "f")
    Traceback (most recent call last):
    TypeError: f.batch_async takes a tuple of arguments for each call: write (7,) instead of 7
    """
    if isinstance(call, tuple):
        return call
    raise TypeError(
        f"{name}.batch_async takes a tuple of arguments for each call: "
        f"write ({call!r},) instead of {call!r}"
    )


def _has_hashable_defaults(parameters: Parameters) -> bool:
    defaults = (*parameters.defaults, *parameters.named.values())
    return all(map(_is_hashable, defaults))


def _tails(parameters: Parameters) -> dict[int, Key]:
    """Return what completes the key of a call without named arguments, by how many it has."""
    # By identity, for a default's own ``==`` need not be able to compare with anything.
    if parameters.takes_more or any(value is REQUIRED for value in parameters.named.values()):
        return {}
    defaults = parameters.defaults
    fewest = len(parameters.plain) - len(defaults)
    return {
        fewest + count: _join(defaults[count:], parameters.named)
        for count in range(len(defaults) + 1)
    }


def _join(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Key:
    if not kwargs:
        return args
    return (*args, Keywords, *(part for item in sorted(kwargs.items()) for part in item))


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 -- a line's worth
