"""Which evaluation the calling thread is inside of."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspeedup.dask._task import Task

__all__ = ["here"]


class _Here(threading.local):
    """What the calling thread evaluates, if it does."""

    task: Task | None = None


here = _Here()
