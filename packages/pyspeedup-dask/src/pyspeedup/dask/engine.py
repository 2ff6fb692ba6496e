"""The engine whose workers are those of a dask cluster, on this machine or on many."""

from __future__ import annotations

import itertools
import os
import pickle
import sys
import threading
import uuid
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Self

from pyspeedup.concurrent._caching.batches import evaluate_batch
from pyspeedup.concurrent._caching.calls import Normalizer, arguments_of
from pyspeedup.concurrent._caching.nested import done
from pyspeedup.concurrent._caching.workers import number_of_workers
from pyspeedup.concurrent._platform import available_cores

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.core import Batch, LocalFunction
    from pyspeedup.dask._homes import Generation
    from pyspeedup.dask._link import Function, Link, Place
    from pyspeedup.dask._outcome import Outcome
    from pyspeedup.dask._sending import Call

__all__ = ["Dask"]

THRESHOLD = 0.05
"""Seconds; see `Dask`."""
KEEP = 1_000
KEEP_BYTES = 256 << 20


class _Definition:
    """A function that calls name by its number, in this process."""

    def __init__(self, function: Callable[..., Any], name: str, *, binding: Binding) -> None:
        self.function = function
        self.name = name
        self.binding = binding
        self.normalize = Normalizer(function)
        self.digest: str | None = None
        self.sent: Function | None = None
        """It and what is known of all, in the form in which it goes to the cluster at present."""


class Dask:
    """Computes calls on the workers of a dask cluster, each once, whoever asks for it.

    The cluster is the one of `client`, or whose scheduler is at `address`; else that of the program's current
    `distributed.Client`; else one on this machine, of `workers` processes (PYSPEEDUP_WORKERS, else
    the cores that this process may use), which starts at the first call and ends with the engine. `workers` given
    always means the last. The workers need pyspeedup-dask installed.

    A call is found by its function (code and the values it brings along) and its arguments, so
    engines on the same cluster share results. The cluster keeps the `keep` results used last, at
    most `keep_bytes` of them, until the engine is closed or its process ends, and with each what it was made from.

    Nested calls are computed on the spot, unless the function's calls take at least `threshold`
    seconds by themselves or nothing is known of them yet; then each is a task of its own, in some 10 ms.

    >>> from concurrent.futures import Future
    >>> with Dask(workers=2) as engine:
    ...     number = engine.define(pow, "pow")  # nothing has started yet
    ...     engine.workers
    2
    """

    def __init__(
        self,
        *,
        client: Any = None,
        address: str | None = None,
        workers: int | None = None,
        threshold: float = THRESHOLD,
        keep: int = KEEP,
        keep_bytes: int = KEEP_BYTES,
    ) -> None:
        """Start nothing yet. `TypeError` or `ValueError` names the argument that is wrong."""
        if sum(one is not None for one in (client, address, workers)) > 1:
            raise ValueError(
                "client, address and workers exclude each other: a cluster that there is, by either, "
                "or one to be started, of so many workers"
            )
        if client is not None and not hasattr(client, "scheduler"):
            raise TypeError(f"client must be a distributed.Client, not {client!r}")
        self._client = client
        self._address = address
        self._own = number_of_workers(workers, available_cores())
        self._starts_own = workers is not None
        self._threshold = _at_least_nothing(threshold, "threshold", (int, float))
        self._keep = _at_least_nothing(keep, "keep", int)
        self._keep_bytes = _at_least_nothing(keep_bytes, "keep_bytes", int)
        self._token = uuid.uuid4().hex
        self._numbers = itertools.count(1)
        self._definitions: dict[int, _Definition] = {}
        self._generations: dict[str, Generation] = {}
        self._closed = self._is_forked = False
        self._lock = threading.RLock()
        self._link: Link | None = None
        _engines.add(self)

    def _leave_to_parent(self) -> None:
        """In a forked process: the connection is the parent's, and dask makes no second one there."""
        self._lock = threading.RLock()  # another thread may have held it
        if self._link is not None:
            self._link.abandon()
            self._link = None
            self._closed = self._is_forked = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., Dask], tuple[Any, ...]]:
        """Arrive elsewhere as an engine on the same cluster, where that is one that there is."""
        address = self._place().address
        workers = self._own if address is None else None
        return _make, (address, workers, self._threshold, self._keep, self._keep_bytes)

    @property
    def workers(self) -> int:
        """How many calls it can evaluate at the same time: the threads of the cluster's workers.

        Costs a round trip to the scheduler; a cluster of its own need not have been started for it.

        >>> Dask(workers=3).workers
        3
        """
        if self._place().address is None:
            return self._own
        return max(1, self._running_link().count_threads())

    def define(self, function: Callable[..., Any], name: str, structure: Any = None) -> int:
        """Take `function` in, in O(1); return its number. It is pickled at the first `submit`.

        >>> Dask().define(abs, "abs")
        1
        """
        binding: Binding = getattr(structure, "binding", "")
        with self._lock:
            number = next(self._numbers)
            self._definitions[number] = _Definition(function, name, binding=binding)
        return number

    def submit(
        self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Begin a call on the cluster, or find it there; costs some 0.1 ms here.

        The future brings `WorkerError` if the cluster failed: workers that ended while they
        computed it are replaced by dask, and the call begun again, as often as it allows.
        `TypeError` if the function or its arguments cannot travel, `RuntimeError` after `close`,
        `OSError` if there is no way to the cluster. Cancelling takes some milliseconds to get there.

        >>> with Dask(workers=1) as engine:  # doctest: +SKIP
        ...     engine.submit(engine.define(divmod, "divmod"), (7, 2), {}).result()
        (3, 1)
        """
        from pyspeedup.dask._outcome import Outcome
        from pyspeedup.dask._sending import Call

        local = self.local(function_id)
        if local is not None:
            return done(lambda: local(*args, **kwargs))
        self._check_open()
        definition = self._definitions[function_id]
        packed, digest = self._pack(definition, args, kwargs)
        return self._submit(definition, Call(packed, 0, uuid.uuid4().hex), digest, Outcome.fetch)

    def submit_batch(self, function_id: int, calls: Sequence[tuple[Any, ...]]) -> Future[Batch]:
        """Begin several calls as one task, in order up to the first error; errors are `submit`'s.

        >>> with Dask(workers=1) as engine:  # doctest: +SKIP
        ...     engine.submit_batch(engine.define(abs, "abs"), [(-1,), (2,)]).result().values
        [1, 2]
        """
        from pyspeedup.dask._outcome import Outcome
        from pyspeedup.dask._sending import Call

        local = self.local(function_id)
        if local is not None:
            return done(lambda: evaluate_batch(local, calls))
        self._check_open()
        definition = self._definitions[function_id]
        parts = [self._pack(definition, call, {}) for call in calls]
        if len(parts) == 1:  # as by itself, so that it is found by itself
            (packed, digest), read = parts[0], Outcome.fetch_as_batch
            return self._submit(definition, Call(packed, 0, uuid.uuid4().hex), digest, read)
        packed = pickle.dumps([packed for packed, _ in parts])
        digest = " ".join(digest for _, digest in parts)
        call = Call(packed, 0, uuid.uuid4().hex, is_batch=True)
        return self._submit(definition, call, digest, Outcome.fetch_batch)

    def _pack(
        self, definition: _Definition, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[bytes, str]:
        """Return a call's arguments as bytes, and what they are found by."""
        from pyspeedup.dask._identity import digest_of_call
        from pyspeedup.dask._packing import dumps

        what = f"the arguments of {definition.name}()"
        try:
            args, kwargs = arguments_of(definition.normalize(args, kwargs))
        except TypeError:  # not hashable, or not its arguments: the function itself will tell
            return dumps((args, kwargs), what, self._generation_of), uuid.uuid4().hex
        packed = dumps((args, kwargs), what, self._generation_of)
        return packed, digest_of_call(args, kwargs, packed)

    def _submit(
        self,
        definition: _Definition,
        call: Call,
        digest: str,
        read: Callable[[Outcome, str], Any],
    ) -> Future[Any]:
        from pyspeedup.dask._identity import task_key
        from pyspeedup.dask._link import Request

        function = self._sent(definition)
        generation = self._generation_of(function.header.digest).name
        key = task_key(definition.name, function.header.digest, generation, digest)
        request = Request(key, call, function, lambda outcome: read(outcome, self._token), Future())
        while not self._running_link().submit(request):  # it was closed this very moment
            self._check_open()
        return request.future

    def local(self, function_id: int) -> LocalFunction | None:
        """Return the memoized function inside an evaluation on a worker, None elsewhere, in O(1).

        >>> engine = Dask()
        >>> engine.local(engine.define(abs, "abs")) is None
        True
        """
        from pyspeedup.dask._here import here

        task = here.task
        if task is None:
            return None
        from pyspeedup.dask._evaluation import home_in

        definition = self._definitions[function_id]
        digest, name = self._digest(definition), definition.name
        home = home_in(task, digest, definition.function, name, binding=definition.binding)
        return home.local  # type: ignore[no-any-return]  # a function with hints

    def forget(self, function_id: int) -> None:
        """Begin a new generation of a function: what the cluster keeps of it answers no more.

        The function is pickled anew for the next call, so that it sees what has changed around it.
        Calls already begun end as they will. Other engines have not forgotten.

        >>> engine = Dask()
        >>> engine.forget(engine.define(abs, "abs"))
        """
        from pyspeedup.dask._homes import Generation

        with self._lock:
            forgotten = self._definitions[function_id]
            former = self._digest(forgotten)
            forgotten.digest = forgotten.sent = None
            for digest in {former, self._digest(forgotten)}:
                number = self._generation_of(digest).number + 1
                later = Generation(number, uuid.uuid4().hex)
                self._generations = {**self._generations, digest: later}
            for definition in self._definitions.values():
                if definition.sent is not None:
                    header = definition.sent.header._replace(generations=self._generations)
                    definition.sent = definition.sent.with_header(header)
            if self._link is not None:
                self._link.drop(former)

    def close(self) -> None:
        """Cancel what is under way, and have the cluster keep nothing; again is harmless.

        Ends the cluster if it is the engine's own.

        >>> Dask().close()
        """
        with self._lock:
            self._closed = True
            link, self._link = self._link, None
        if link is not None:
            link.close()

    def _check_open(self) -> None:
        if self._is_forked:
            raise RuntimeError(
                "dask cannot be used in a process that was forked from one that uses it; start the "
                "process by spawn or forkserver"
            )
        if self._closed:
            raise RuntimeError("this engine is closed; make another one")

    def _generation_of(self, digest: str) -> Generation:
        from pyspeedup.dask._homes import FIRST_GENERATION

        return self._generations.get(digest, FIRST_GENERATION)

    def _digest(self, definition: _Definition) -> str:
        from pyspeedup.dask._identity import digest_of_function

        if definition.digest is None:
            definition.digest = digest_of_function(definition.function)
        return definition.digest

    def _sent(self, definition: _Definition) -> Function:
        """Return the function as it travels, in its present form; pickled once a generation."""
        from pyspeedup.dask._link import Function
        from pyspeedup.dask._packing import Memoized, dumps
        from pyspeedup.dask._sending import Header

        with self._lock:
            if definition.sent is None:
                name, binding = definition.name, definition.binding
                header = Header(
                    self._token,
                    self._digest(definition),
                    name,
                    binding,
                    self._generations,
                    self._threshold,
                    None,
                )
                memoized = Memoized(definition.function, name, binding=binding)
                packed = dumps(memoized, f"{name}()", self._generation_of)
                definition.sent = Function(header, packed)
            return definition.sent

    def _running_link(self) -> Link:
        from pyspeedup.dask._link import Kept, Link

        with self._lock:
            self._check_open()
            if self._link is None:
                self._link = Link(self._place(), Kept(self._keep, self._keep_bytes))
                weakref.finalize(self, self._link.close).atexit = False
            return self._link

    def _place(self) -> Place:
        from pyspeedup.dask._link import Place

        client = self._client
        if client is None and self._address is None and not self._starts_own:
            client = _current_client()
        if client is None:
            return Place(self._address, None, self._own)
        if client.scheduler is None:
            raise RuntimeError(f"client {client!r} is closed; give the engine one that is not")
        return Place(client.scheduler.address, client.security, self._own)


def _current_client() -> Any:
    """Return the client that the program uses at present, None if it uses none."""
    if "distributed" not in sys.modules:
        return None
    from distributed import Client

    try:
        return Client.current()  # type: ignore[no-untyped-call]  # distributed is typed in part
    except ValueError:
        return None


def _at_least_nothing(value: Any, name: str, kinds: Any) -> Any:
    if not isinstance(value, kinds):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not value >= 0:
        raise ValueError(f"{name} must be at least 0, not {value!r}")
    return value


def _make(
    address: str | None, workers: int | None, threshold: float, keep: int, keep_bytes: int
) -> Dask:
    return Dask(
        address=address, workers=workers, threshold=threshold, keep=keep, keep_bytes=keep_bytes
    )


_engines: weakref.WeakSet[Dask] = weakref.WeakSet()


def _after_fork() -> None:
    """Leave connections alone in a forked process, where the threads that serve them have not come along."""
    for engine in list(_engines):
        engine._leave_to_parent()  # noqa: SLF001 -- the same module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
