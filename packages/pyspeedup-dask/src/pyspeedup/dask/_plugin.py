"""What this package offers by name, through the same door as anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.core import hookimpl
from pyspeedup.dask.engine import Dask

if TYPE_CHECKING:
    from pyspeedup.core import EngineFactory, Register


@hookimpl
def pyspeedup_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the cluster."""
    register("dask", Dask)
