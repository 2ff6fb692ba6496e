"""What a function in a class gets as its first argument: an instance, the class, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Binding", "first_argument", "unwrapped"]

Binding: TypeAlias = Literal["", "instance", "class", "static"]
"""To what; "" for a function that is in no class."""


def unwrapped(function: Any) -> tuple[Callable[..., Any], Binding]:
    """Return the function in a classmethod or staticmethod, or else `function`, and how it says it is bound.

    >>> unwrapped(staticmethod(abs)), unwrapped(abs)
    ((<built-in function abs>, 'static'), (<built-in function abs>, ''))
    """
    if isinstance(function, classmethod):
        return function.__func__, "class"
    if isinstance(function, staticmethod):
        return function.__func__, "static"
    return function, ""


def first_argument(binding: Binding, instance: Any, owner: type | None) -> Any:
    """Return what to bind to where a function is looked up in `instance` of `owner`; None for nothing.

    >>> first_argument("instance", 3, int), first_argument("class", None, int)
    (3, <class 'int'>)
    """
    if binding == "class":
        return type(instance) if owner is None else owner
    return None if binding == "static" else instance
