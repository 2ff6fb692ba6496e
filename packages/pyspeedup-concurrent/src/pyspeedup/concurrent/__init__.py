"""A generator that runs ahead in another process, and a memoized function on all cores.

- `Buffer`, `buffer`: a generator as a sequence, computed in a process of its own.
- `Cache`: a function that remembers its results and is evaluated by worker processes.
- the halt conditions, which tell a search through a `Buffer` when to stop.

Importing this starts nothing, and loads each of them when it is asked for.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.core import announce

if TYPE_CHECKING:
    from pyspeedup.concurrent._caching.cache_info import CacheInfo
    from pyspeedup.concurrent._caching.profile import Profile
    from pyspeedup.concurrent.buffer import Buffer, buffer
    from pyspeedup.concurrent.cache import Cache
    from pyspeedup.concurrent.halting import (
        absolutelyNonDecreasing,
        afterAttempts,
        afterSeconds,
        allOf,
        anyOf,
        uniformlyNonDecreasing,
        uniformlyNonIncreasing,
    )

    __version__: str

__all__ = [
    "Buffer",
    "Cache",
    "CacheInfo",
    "Profile",
    "__version__",
    "absolutelyNonDecreasing",
    "afterAttempts",
    "afterSeconds",
    "allOf",
    "anyOf",
    "buffer",
    "uniformlyNonDecreasing",
    "uniformlyNonIncreasing",
]

_MODULES: Final = {
    "Buffer": "buffer",
    "buffer": "buffer",
    "Cache": "cache",
    "CacheInfo": "_caching.cache_info",
    "Profile": "_caching.profile",
}
"""Where a name is to be found; what is not here is a halt condition."""

announce("pyspeedup.concurrent._plugin")


def __getattr__(name: str) -> Any:
    """Load what is asked for: a program that has a Cache need not pay for Buffers."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-concurrent")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES.get(name, 'halting')}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    """Name what can be asked for."""
    return [*__all__]


class _Package(types.ModuleType):
    """This module. Its `buffer` is the decorator, which is in a submodule of the same name."""

    @property
    def buffer(self) -> Any:
        """The decorator."""
        return __getattr__("buffer")

    @buffer.setter
    def buffer(self, _: types.ModuleType) -> None:
        """Leave it so when the import system binds the submodule here."""


sys.modules[__name__].__class__ = _Package
