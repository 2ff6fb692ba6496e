"""The four hooks: the page that a plugin's author reads.

A plugin is a module (or any object) with functions of these names, each marked by `hookimpl`. An
installed distribution names its module in the entry point group ``pyspeedup``; a script calls
`pyspeedup.core.register`. Each hook is given `register`, and calls it once a name:

>>> from pyspeedup.core import hookimpl
>>> @hookimpl
... def pyspeedup_register_halt_conditions(register):
...     register("isNegative", lambda buffer, item, attempts: buffer.cached[-1] < 0)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from pyspeedup.core.protocols import (
        EngineFactory,
        HaltCondition,
        PageStoreFactory,
        SerializerFactory,
    )
    from pyspeedup.core.registry import Register

__all__ = [
    "hookimpl",
    "pyspeedup_register_engines",
    "pyspeedup_register_halt_conditions",
    "pyspeedup_register_page_stores",
    "pyspeedup_register_serializers",
]

PROJECT = "pyspeedup"
"""The name that pluggy knows both markers by."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook that it is named after."""


@hookspec
def pyspeedup_register_halt_conditions(register: Register[HaltCondition]) -> None:
    """Call ``register(name, condition)`` for each halt condition that the plugin brings.

    `condition` is called as ``condition(buffer, item, attempts)``.
    """


@hookspec
def pyspeedup_register_serializers(register: Register[SerializerFactory]) -> None:
    """Call ``register(name, factory)`` for each serializer that the plugin brings.

    ``factory(**options)`` returns a `Serializer`; a class is a factory.
    """


@hookspec
def pyspeedup_register_page_stores(register: Register[PageStoreFactory]) -> None:
    """Call ``register(name, factory)`` for each page store that the plugin brings.

    ``factory(location, basename, **options)`` returns a `PageStore`, or any
    ``MutableMapping[str, bytes]`` in which putting one key is atomic.
    """


@hookspec
def pyspeedup_register_engines(register: Register[EngineFactory]) -> None:
    """Call ``register(name, factory)`` for each execution engine that the plugin brings.

    ``factory(**options)`` returns an `Engine`; it must start nothing.
    """
