"""What a function takes, read without importing inspect where it is a plain function."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable

__all__ = ["REQUIRED", "Parameters", "parameters_of", "signature_of"]

REQUIRED: Final = object()
"""Stands for the default of a parameter that has none."""
_TAKES_MORE: Final = 0x04 | 0x08
"""The flags of code that has ``*args`` or ``**kwargs``, as in `inspect`."""


class Parameters:
    """The parameters of a function.

    >>> found = parameters_of(lambda n, /, base=10, *, strict=False: n)
    >>> found.plain, found.positional_only, found.defaults, found.named, found.takes_more
    (('n', 'base'), 1, (10,), {'strict': False}, False)
    """

    __slots__ = ("defaults", "named", "plain", "positional_only", "takes_more")

    def __init__(
        self,
        plain: tuple[str, ...],
        positional_only: int,
        defaults: tuple[Any, ...],
        named: dict[str, Any],
        *,
        takes_more: bool,
    ) -> None:
        """Take what was read."""
        self.plain = plain
        """Those that can be passed by position; the first so many only so."""
        self.positional_only = positional_only
        self.defaults = defaults
        """Of the last plain ones."""
        self.named = named
        """Those that can only be passed by name, and their defaults or `REQUIRED`."""
        self.takes_more = takes_more


def parameters_of(function: Callable[..., Any]) -> Parameters | None:
    """Return what `function` takes; None for a built-in that does not tell."""
    if type(function) is types.FunctionType and not function.__dict__:  # else: `__wrapped__`, say
        return _parameters_of_code(function)
    signature = signature_of(function)
    return None if signature is None else _parameters_of_signature(signature)


def _parameters_of_code(function: types.FunctionType) -> Parameters:
    code = function.__code__
    plain, all_named = code.co_argcount, code.co_argcount + code.co_kwonlyargcount
    defaults = function.__kwdefaults__ or {}
    return Parameters(
        code.co_varnames[:plain],
        code.co_posonlyargcount,
        function.__defaults__ or (),
        {name: defaults.get(name, REQUIRED) for name in code.co_varnames[plain:all_named]},
        takes_more=bool(code.co_flags & _TAKES_MORE),
    )


def _parameters_of_signature(signature: inspect.Signature) -> Parameters:
    parameters = [*signature.parameters.values()]
    plain = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD}]
    return Parameters(
        tuple(p.name for p in plain),
        sum(p.kind is p.POSITIONAL_ONLY for p in plain),
        tuple(p.default for p in plain if p.default is not p.empty),
        {
            p.name: REQUIRED if p.default is p.empty else p.default
            for p in parameters
            if p.kind is p.KEYWORD_ONLY
        },
        takes_more=any(p.kind in {p.VAR_POSITIONAL, p.VAR_KEYWORD} for p in parameters),
    )


def signature_of(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature of `function`; None for a built-in that does not tell."""
    import inspect  # 4 ms, which most functions need not cost

    try:
        return inspect.signature(function)
    except ValueError:
        return None
