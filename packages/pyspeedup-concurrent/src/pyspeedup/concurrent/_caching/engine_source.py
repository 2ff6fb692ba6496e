"""Which engine evaluates the calls of a `Cache`: its own, or one shared by all who give the same name."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Final

from pyspeedup.concurrent._caching.workers import number_of_workers

if TYPE_CHECKING:
    from pyspeedup.core import Engine, EngineFactory

__all__ = ["EngineSource", "close_shared_engines"]

DEFAULT_ENGINE: Final = "processes"


class EngineSource:
    """Where a Cache finds its engine, which is made when it is first needed."""

    def __init__(self, engine: str | Engine | None, workers: int | None) -> None:
        """Check what was given; an unknown name is an error here, not at the first call."""
        self._given = engine
        self._workers = None if workers is None else number_of_workers(workers, 1)
        if isinstance(engine, str):
            _factory_of(engine)
        elif engine is not None:
            _check_engine(engine, workers)

    @property
    def engine(self) -> Engine:
        """The engine of now: a shared one that was closed is replaced by another."""
        if self._given is None or isinstance(self._given, str):
            return _shared_engine(self._given, self._workers)
        return self._given

    @property
    def is_any_made(self) -> bool:
        """Whether any engine was made so far that Caches can be evaluated by."""
        return bool(_shared) or not (self._given is None or isinstance(self._given, str))

    @property
    def evaluates_in_workers(self) -> bool:
        """Whether references to the Cache mean something else where its function is evaluated."""
        return getattr(self.engine, "evaluates_in_workers", False)

    def definition(self) -> tuple[str | Engine | None, int | None]:
        """Return what an equal source is made from."""
        return self._given, self._workers


def _check_engine(engine: object, workers: int | None) -> None:
    from pyspeedup.core import Engine  # 2 ms, which the default need not pay

    if not isinstance(engine, Engine):
        raise TypeError(
            f"engine must be the name of an engine or an object with the methods of "
            f"pyspeedup.core.Engine, not {engine!r}"
        )
    if workers is not None:
        raise ValueError(
            f"workers={workers} is for an engine given by name; tell the engine object itself"
        )


_shared: dict[tuple[str, int | None], Engine] = {}
_sharing = threading.Lock()
_importing = threading.RLock()
"""Held by who imports the default engine, and around a fork: a module half imported is never whole in the child."""


def _shared_engine(given: str | None, workers: int | None) -> Engine:
    name = given or DEFAULT_ENGINE
    engine = _shared.get((name, workers))
    if engine is not None:
        return engine
    with _sharing:
        if (name, workers) not in _shared:
            options = {} if workers is None else {"workers": workers}
            factory = _default_factory() if given is None else _factory_of(given)
            _shared[name, workers] = factory(**options)
        return _shared[name, workers]


def _factory_of(name: str) -> EngineFactory:
    from pyspeedup.core import engines  # 2 ms, which the default need not pay either

    return engines.get(name)


def _default_factory() -> EngineFactory:
    """Return the engine of a Cache that names none, without the cost of looking for plugins."""
    with _importing:
        from pyspeedup.concurrent.engines.processes import Processes

    return Processes


def close_shared_engines() -> None:
    """End the workers that Caches share, now; the next call starts new ones.

    They end with the program anyway. Calls under way are cancelled. Results stay remembered.

    >>> close_shared_engines()
    """
    with _sharing:
        closed = [*_shared.values()]
        _shared.clear()
    for engine in closed:
        engine.close()


def _before_fork() -> None:
    _importing.acquire()


def _after_fork_in_parent() -> None:
    _importing.release()


def _after_fork() -> None:
    global _importing, _sharing
    _importing, _sharing = threading.RLock(), threading.Lock()  # another thread may have held one


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork
    )
