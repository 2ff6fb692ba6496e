"""Which worker this process is, if it is one, for those who must not import all that workers need."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.worker import Worker

__all__ = ["at_start", "worker"]

worker: Worker | None = None
"""Set when this process becomes a worker."""

at_start: list[Callable[[], None]] = []
"""What others have to do then."""
