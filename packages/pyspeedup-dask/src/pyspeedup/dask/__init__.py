"""The cluster engine: calls of a `pyspeedup.concurrent.Cache` are evaluated by dask's workers.

Installing this package is all it takes for ``Cache(engine="dask")`` to work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import announce
from pyspeedup.dask.engine import Dask

if TYPE_CHECKING:
    __version__: str

__all__ = ["Dask", "__version__"]

announce("pyspeedup.dask._plugin")


def __getattr__(name: str) -> Any:
    """Read the version from the installed metadata only when it is asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-dask")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
