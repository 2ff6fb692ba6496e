"""A generator that runs ahead in another process, and a memoized function on all cores.

- `Buffer`, `buffer`: a generator as a sequence, computed in a process of its own.
- `Cache`: a function that remembers its results and is evaluated by worker processes.
- the halt conditions, which tell a search through a `Buffer` when to stop.

Importing this starts nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent.buffer import Buffer, buffer
from pyspeedup.concurrent.cache import Cache, CacheInfo
from pyspeedup.concurrent.halting import (
    absolutelyNonDecreasing,
    afterAttempts,
    afterSeconds,
    anyOf,
    uniformlyNonDecreasing,
    uniformlyNonIncreasing,
)
from pyspeedup.core import announce

if TYPE_CHECKING:
    from pyspeedup.concurrent._caching.profile import Profile

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
    "anyOf",
    "buffer",
    "uniformlyNonDecreasing",
    "uniformlyNonIncreasing",
]

announce("pyspeedup.concurrent._plugin")


def __getattr__(name: str) -> Any:
    """Bring in what few programs need, and read the version, only when it is asked for."""
    if name == "Profile":
        from pyspeedup.concurrent._caching.profile import Profile

        return Profile
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-concurrent")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
