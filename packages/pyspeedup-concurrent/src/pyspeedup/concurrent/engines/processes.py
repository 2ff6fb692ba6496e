"""The default engine: persistent worker processes, one a core, that share sub-problems."""

from __future__ import annotations

import functools
import itertools
import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self

from pyspeedup.concurrent._caching import here, messages
from pyspeedup.concurrent._caching.hand import Tidings
from pyspeedup.concurrent._caching.history import History
from pyspeedup.concurrent._caching.messages import Alive, BatchCall, Call, Shipment
from pyspeedup.concurrent._caching.pool import Job, Pool
from pyspeedup.concurrent._caching.workers import number_of_workers
from pyspeedup.concurrent._platform import available_cores
from pyspeedup.concurrent._processes import shipping
from pyspeedup.core import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.core import LocalFunction
    from pyspeedup.core.protocols import FunctionStats, Span

__all__ = ["Processes"]


class _Definition:
    """A function that calls name by its number, in this process."""

    def __init__(
        self, number: int, function: Callable[..., Any], name: str, structure: Any
    ) -> None:
        self.number = number
        self.function = function
        self.name = name
        self.structure = weakref.ref(structure) if structure is not None else _nobody
        self.generation = _newest_generation
        self._shipment: Shipment | None = None
        self.begin_afresh()

    def begin_afresh(self) -> None:
        """Hold no lock, as in a forked process."""
        self._lock = threading.Lock()

    @property
    def identity(self) -> str:
        """That of the structure, or one of its own."""
        structure = self.structure()
        return f"function {self.number}" if structure is None else structure.identity

    def shipment(self) -> Shipment:
        """Return the function as it travels, in its present form; pickled once a generation."""
        with self._lock:
            if self._shipment is None or self._shipment.generation != self.generation:
                self._shipment = self._pack()
            return self._shipment

    def _pack(self) -> Shipment:
        empty = self.bare_shipment()  # first: if all is forgotten meanwhile, this is an old form
        data = shipping.dumps(self.function, f"{self.name}()", known=(empty.identity,))
        return empty._replace(data=data)

    def bare_shipment(self) -> Shipment:
        """Return what says that there is a function, without the function."""
        structure = self.structure()
        return Shipment(
            self.number,
            self.generation,
            self.name,
            getattr(structure, "kind", None),
            self.identity,
            getattr(structure, "binding", ""),
            b"",
        )


def _nobody() -> None:
    return None


class _NoStructure:
    """Stands for a function that was defined without a structure."""

    binding = ""

    def __init__(self, definition: _Definition) -> None:
        self.identity = definition.identity
        self.__name__ = definition.name


class Processes:
    """Computes calls in `workers` processes that stay, started at the first call.

    `workers` is PYSPEEDUP_WORKERS, else the cores that this process may use, unless given. Results
    and functions travel by cloudpickle, so that those of scripts, notebooks and closures do too.
    A worker that is killed is replaced and its calls are begun once more; a call that
    two workers died over is answered with `WorkerError`.

    >>> with Processes(workers=1) as engine:
    ...     engine.submit(engine.define(pow, "pow"), (2, 10), {}).result()
    1024
    """

    evaluates_in_workers = True

    def __init__(self, *, workers: int | None = None) -> None:
        """Start nothing yet. `ValueError` or `TypeError` if `workers` is not a number from 1 up."""
        self._workers = number_of_workers(workers, available_cores())
        self._closed = False
        self._begin_afresh()
        _engines.add(self)

    def _begin_afresh(self) -> None:
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._finalizer: Callable[[], Any] = _nothing_to_end

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[[int], Processes], tuple[int]]:
        """Arrive elsewhere as an engine of as many workers."""
        return _make, (self._workers,)

    @property
    def workers(self) -> int:
        """How many worker processes there are.

        >>> Processes(workers=3).workers
        3
        """
        return self._workers

    def define(self, function: Callable[..., Any], name: str, structure: Any = None) -> int:
        """Take `function` in, in O(1); return its number. It is pickled at the first `submit`.

        References to `structure` (a Cache) mean the memoized function inside the workers.

        >>> isinstance(Processes().define(abs, "abs"), int)
        True
        """
        if here.worker is not None and structure is not None:
            return here.worker.meanings.adopt(function, structure)
        return _define(function, name, structure)

    def hold(self, function_id: int) -> object:
        """Return what a function is known by from now on: once that is garbage, so is the function.

        Also in the workers, before they begin another call. A function that nobody holds is known for good.

        >>> engine = Processes()
        >>> held = engine.hold(engine.define(abs, "abs"))
        """
        worker = here.worker
        if worker is not None and function_id in worker.meanings:
            return worker.meanings.hold(function_id)
        return _kept.pop(function_id, None) or _definitions[function_id]

    def known_as(self, function_id: int) -> tuple[int, int] | None:
        """Return what workers are to know a function by that travels within another one.

        None in a worker. Read before the function itself, so that no older form passes for a newer one.

        >>> engine = Processes()
        >>> number = engine.define(abs, "abs")
        >>> engine.known_as(number)[0] == number
        True
        """
        definition = None if here.worker is not None else _definitions.get(function_id)
        return None if definition is None else (definition.number, definition.generation)

    def submit(
        self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Begin a call in a worker; costs 20 us and the pickling of its arguments.

        `TypeError` if the function or its arguments cannot travel, `RuntimeError` after `close`,
        `OSError` if no process can be started.

        >>> with Processes(workers=1) as engine:
        ...     engine.submit(engine.define(divmod, "divmod"), (7, 2), {}).result()
        (3, 1)
        """
        local = self.local(function_id)
        if local is not None:
            return _compute_here(local, args, kwargs)
        definition = _definitions[function_id]
        shipment = _shipment_for_call(definition)
        packed = messages.pack((args, kwargs), f"the arguments of {definition.name}()")
        call = Call(function_id, shipment.generation, packed)
        return self._submit(call, shipment)

    def submit_batch(self, function_id: int, calls: Sequence[tuple[Any, ...]]) -> Future[Batch]:
        """Begin several calls in one worker, one after the other; costs what `submit` costs for one.

        The future brings their values, up to the first error and with that. Errors as `submit`.

        >>> with Processes(workers=1) as engine:
        ...     engine.submit_batch(engine.define(abs, "abs"), [(-1,), (2,)]).result().values
        [1, 2]
        """
        local = self.local(function_id)
        if local is not None:
            return _compute_batch_here(local, calls)
        definition = _definitions[function_id]
        shipment = _shipment_for_call(definition)
        packed = messages.pack_all([*calls], f"the arguments of {definition.name}()")
        call = BatchCall(function_id, shipment.generation, packed, next(_serials))
        return self._submit(call, shipment)

    def _submit(self, call: Call | BatchCall, shipment: Shipment) -> Future[Any]:
        job = Job(call, shipment, Future())
        while not (pool := self._running_pool()).submit(
            job
        ):  # all its workers ended this very moment
            job = Job(call, shipment, Future())
        drop = functools.partial(_drop, weakref.ref(pool), job)
        job.future.add_done_callback(drop)
        return job.future

    def stats(self, function_id: int) -> FunctionStats:
        """Return what has become of a function's calls since the workers were started, in O(history)."""
        pool = self._pool
        return (
            EMPTY.stats(function_id, workers=self._workers, idle=0.0)
            if pool is None
            else pool.stats(function_id)
        )

    def trace(self) -> list[Span]:
        """Return what was computed last, where, and when."""
        pool = self._pool
        return [] if pool is None else pool.history.spans(_name_of)

    def _running_pool(self) -> Pool:
        with self._lock:
            if self._closed:
                raise RuntimeError("this engine is closed; make another one")
            if self._pool is None or self._pool.broken:
                self._finalizer()
                self._pool = Pool(self._workers, _shipment_of, lambda: _tidings)
                self._finalizer = weakref.finalize(self, self._pool.close)
            return self._pool

    def local(self, function_id: int) -> LocalFunction | None:
        """Return the memoized function inside a worker, None elsewhere, in O(1).

        >>> engine = Processes()
        >>> engine.local(engine.define(abs, "abs")) is None
        True
        """
        worker = here.worker
        if worker is None:
            return None
        if function_id not in worker.meanings:
            definition = _definitions[function_id]  # it came along with a fork
            structure: Any = definition.structure() or _NoStructure(definition)
            function_id = worker.meanings.adopt(definition.function, structure)
        return worker.meanings[function_id].local  # type: ignore[return-value]  # a function with hints

    def forget(self, function_id: int) -> None:
        """Drop what is remembered of a function, in the workers too before they begin another call.

        The function is pickled anew for the next call of any, so that it sees what has changed around it.
        Calls already begun end as they will.

        >>> engine = Processes()
        >>> engine.forget(engine.define(abs, "abs"))
        """
        definition = _definitions.get(function_id)
        if definition is not None:
            _begin_generation(definition)

    def close(self) -> None:
        """End every worker; what is queued or running is cancelled. Again is harmless.

        >>> Processes().close()
        """
        with self._lock:
            self._closed = True
            self._pool = None
        self._finalizer()


def _drop(pool: weakref.ref[Pool], job: Job, future: Future[Any]) -> None:
    """Have a call dropped that was cancelled."""
    running = pool()
    if future.cancelled() and running is not None and not running.broken:
        running.cancel(job)


def _name_of(number: int) -> str:
    definition = _definitions.get(number)
    return "a function" if definition is None else definition.name


def _nothing_to_end() -> None:
    """Stand for the end of a pool that was never started."""


def _make(workers: int) -> Processes:
    return Processes(workers=workers)


def _compute_here(local: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Future[Any]:
    future: Future[Any] = Future()
    try:
        future.set_result(local(*args, **kwargs))
    except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
        future.set_exception(error)
    return future


def _compute_batch_here(local: Any, calls: Sequence[tuple[Any, ...]]) -> Future[Batch]:
    future: Future[Batch] = Future()
    values: list[Any] = []
    failure: BaseException | None = None
    begun = time.perf_counter()
    try:
        values.extend(local(*args) for args in calls)
    except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
        failure = error
    future.set_result(Batch(values, failure, time.perf_counter() - begun))
    return future


def _define(function: Callable[..., Any], name: str, structure: Any) -> int:
    global _newest_number  # noqa: PLW0603 -- a count
    with _defining:
        _newest_number += 1
        definition = _Definition(_newest_number, function, name, structure)
        _definitions[definition.number] = _kept[definition.number] = definition
    return definition.number


def _begin_generation(definition: _Definition) -> None:
    global _newest_generation, _tidings  # noqa: PLW0603 -- others each time, so that they need not be compared
    with _forgetting:
        _unpacked[definition.number] = definition  # first, for Ctrl-C or a fork may come between
        _newest_generation += 1
        definition.generation = _newest_generation
        renewed = {**_tidings.renewed, definition.number: definition.bare_shipment()}
        _tidings = Tidings(renewed, _tidings.alive)


def _shipment_for_call(definition: _Definition) -> Shipment:
    """Return a function for a call, for which all is packed that was told to forget before it."""
    shipment = definition.shipment()
    _tell_of(definition, shipment)
    while _unpacked:
        for other in [*_unpacked.values()]:
            _pack_renewed(other)
    if _number_of_gone() != _tidings.alive.newest - len(_tidings.alive.numbers):
        _tell_of_the_living()
    return shipment


def _number_of_gone() -> int:
    return _newest_number - len(_definitions)


def _tell_of_the_living() -> None:
    """Have workers told which functions there still are."""
    global _tidings  # noqa: PLW0603 -- as above
    with _defining:
        alive = Alive(frozenset(_definitions.keys()), _newest_number)
    with _forgetting:
        renewed = {n: shipment for n, shipment in _tidings.renewed.items() if alive.has(n)}
        _tidings = Tidings(renewed, alive)


def _pack_renewed(definition: _Definition) -> None:
    """Have workers told of a function that was renewed, as it is now; without it, if it can't travel."""
    generation = definition.generation
    try:
        _tell_of(definition, definition.shipment())
    except TypeError:  # whoever calls it will be told
        with _forgetting:
            if definition.generation == generation:
                _unpacked.pop(definition.number, None)


def _tell_of(definition: _Definition, shipment: Shipment) -> None:
    """Have workers told of a function's present form, unless they are or it was never renewed.

    What is still in `_unpacked` is told of once more: Ctrl-C or a fork may have come before it was taken out.
    """
    global _tidings  # noqa: PLW0603 -- as above
    former = _tidings.renewed.get(definition.number)
    if definition.number not in _unpacked and (former is None or former is shipment):
        return
    with _forgetting:
        if definition.generation == shipment.generation:
            renewed = {**_tidings.renewed, definition.number: shipment}
            _tidings = Tidings(renewed, _tidings.alive)
            _unpacked.pop(definition.number, None)


def _shipment_of(call: Call | BatchCall) -> Shipment | None:
    """Return the function of a call that a worker gave away; None if it is not to be had any more."""
    definition = _definitions.get(call.number)
    if definition is None or definition.generation != call.generation:
        return None
    try:
        return definition.shipment()
    except TypeError:  # a hint may come to nothing: its giver computes it
        return None


_serials = itertools.count(1)
EMPTY = History()
_definitions: weakref.WeakValueDictionary[int, _Definition] = weakref.WeakValueDictionary()
_kept: dict[int, _Definition] = {}
"""Those that nobody holds."""
_newest_generation = 0
"""So often was a function told to forget."""
_newest_number = 0
_tidings = Tidings({}, Alive(frozenset(), 0))
_unpacked: dict[int, _Definition] = {}
"""Those that were told to forget, and no call has followed yet."""
_forgetting = threading.Lock()
_defining = threading.Lock()
_engines: weakref.WeakSet[Processes] = weakref.WeakSet()


def _after_fork() -> None:
    """Begin afresh in a forked process: the workers are the parent's."""
    global _defining, _forgetting
    _defining, _forgetting = threading.Lock(), threading.Lock()
    for definition in list(_definitions.values()):
        definition.begin_afresh()
    for engine in list(_engines):
        engine._begin_afresh()  # noqa: SLF001 -- the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
