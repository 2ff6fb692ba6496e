"""The engine's connection to a cluster, in a thread of its own: calls go out in batches, and results come back.

The connection is the engine's alone, also where the program has one to the same cluster. All that
the cluster keeps for the engine belongs to it, and so goes when it ends, whatever ends it.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import shutil
import tempfile
import threading
import uuid
from collections import OrderedDict, deque
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import WorkerError
from pyspeedup.dask._evaluation import evaluate
from pyspeedup.dask._sending import as_payload, explain, send

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pyspeedup.dask._outcome import Outcome
    from pyspeedup.dask._sending import Call, Header

__all__ = ["Function", "Link", "Place", "Request"]

THREAD_NAME = "pyspeedup-dask"
GONE = "the connection to its scheduler was lost, or somebody cancelled the task there"


class Place(NamedTuple):
    """Where the cluster is: at an address, or, where that is None, here with so many workers."""

    address: str | None
    security: Any
    workers: int


@dataclass(eq=False, slots=True)
class Function:
    """What the calls of one function, in one generation, have in common."""

    header: Header
    packed: bytes
    payload: Any = None
    """How it is put into tasks, once it is known."""

    def with_header(self, header: Header) -> Function:
        """Return the same function, with other things in common."""
        return Function(header, self.packed, self.payload)


@dataclass(eq=False, slots=True)
class Request:
    """A call, and who waits for it."""

    key: str
    call: Call
    function: Function
    read: Callable[[Outcome], Any]
    """Makes of what came what is wanted."""
    future: Future[Any]


@dataclass(eq=False, slots=True)
class _Pending:
    """A task of the cluster whose result somebody here waits for."""

    key: str
    function: Function
    future: Any = None
    requests: list[Request] = field(default_factory=list)
    watch: asyncio.Task[None] | None = None


class Kept:
    """Results that stay on the cluster: those used last, within two bounds.

    >>> kept = Kept(2, 1000)
    >>> for key in "abc":
    ...     kept.keep(key, "square", f"future {key}", 10)
    >>> list(kept)
    ['b', 'c']
    """

    def __init__(self, most: int, most_bytes: int) -> None:
        """Keep at most so many, and so many bytes."""
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._results: OrderedDict[str, tuple[str, Any, int]] = OrderedDict()

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def keep(self, key: str, function: str, future: Any, size: int) -> None:
        """Hold on to a result of a function, and let go of those that are too many."""
        self._drop(key)
        self._results[key] = (function, future, size)
        self._bytes += size
        while self._results and (len(self._results) > self._most or self._bytes > self._most_bytes):
            self._drop(next(iter(self._results)))

    def drop(self, function: str) -> None:
        """Let go of a function's results, in O(all that are kept)."""
        for key in [key for key, kept in self._results.items() if kept[0] == function]:
            self._drop(key)

    def clear(self) -> None:
        """Let go of all."""
        self._results.clear()
        self._bytes = 0

    def _drop(self, key: str) -> None:
        self._bytes -= self._results.pop(key, ("", None, 0))[2]


class Link:
    """See the module."""

    def __init__(self, place: Place, kept: Kept) -> None:
        """Connect, and start workers if there are to be some here; raises what dask raises."""
        self._place = place
        self._kept = kept
        self._inbox: deque[Request] = deque()
        self._pending: dict[str, _Pending] = {}
        self._arrived: list[_Pending] = []
        self._gathering: asyncio.Task[None] | None = None
        self._client: Any = None
        self._lock = threading.Lock()
        self._closed = False
        self._closing: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        started: Future[None] = Future()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._live(started)), name=THREAD_NAME, daemon=True
        )
        self._thread.start()
        started.result()
        atexit.register(self.close)  # after dask's own exit handlers, and so run before them

    # From any thread ----------------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Where the scheduler is."""
        address: str = self._client.scheduler.address
        return address

    def submit(self, request: Request) -> bool:
        """Begin a call; False if the link has been closed."""
        with self._lock:
            if self._closed:
                return False
            self._inbox.append(request)
            if len(self._inbox) == 1:
                self._loop.call_soon_threadsafe(self._send)
            return True

    def drop(self, digest: str) -> None:
        """Let go of what the cluster keeps of a function."""
        self._later(self._kept.drop, digest)

    def _later(self, do: Callable[..., object], *args: Any) -> bool:
        with self._lock:
            if not self._closed:
                self._loop.call_soon_threadsafe(do, *args)
            return not self._closed

    def count_threads(self) -> int:
        """Return how many calls the cluster can evaluate at the same time, in a round trip."""

        async def count() -> int:
            return sum((await self._client.nthreads()).values())

        if threading.current_thread() is self._thread:
            return self._place.workers
        return asyncio.run_coroutine_threadsafe(count(), self._loop).result()

    def close(self) -> None:
        """Cancel what is under way, let go of all results, disconnect; again is harmless."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._closing.set)
        atexit.unregister(self.close)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def abandon(self) -> None:
        """In a forked process: leave the parent's connection alone."""
        self._lock = threading.Lock()  # another thread may have held it
        self._closed = True
        atexit.unregister(self.close)

    # In the thread of its own -------------------------------------------------------------------

    async def _live(self, started: Future[None]) -> None:
        self._loop, self._closing = asyncio.get_running_loop(), asyncio.Event()
        try:
            async with contextlib.AsyncExitStack() as stack:
                self._client = await self._connect(stack)
                started.set_result(None)
                await self._closing.wait()
                await self._leave()
        except BaseException as error:
            if started.done():
                raise
            self._closed = True
            started.set_exception(error)

    async def _connect(self, stack: contextlib.AsyncExitStack) -> Any:
        from distributed import Client

        address = self._place.address
        if address is None:
            cluster = await stack.enter_async_context(self._make_cluster(stack))
            address = cluster.scheduler_address
        client = Client(  # type: ignore[no-untyped-call]  # distributed is typed in part
            address, asynchronous=True, set_as_default=False, security=self._place.security
        )
        return await stack.enter_async_context(client)

    def _make_cluster(self, stack: contextlib.AsyncExitStack) -> Any:
        from distributed import LocalCluster

        folder = tempfile.mkdtemp(prefix="pyspeedup-dask-")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        return LocalCluster(  # type: ignore[no-untyped-call]  # likewise
            n_workers=self._place.workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            scheduler_kwargs={"dashboard": False, "local_directory": folder},
            asynchronous=True,
            local_directory=folder,
        )

    def _send(self) -> None:
        """Make tasks of the calls that have come in, those of one function together."""
        with self._lock:
            requests, self._inbox = list(self._inbox), deque()
        new: dict[Function, list[Request]] = {}
        for request in requests:
            pending = self._pending.get(request.key)
            if pending is None:
                pending = self._pending[request.key] = _Pending(request.key, request.function)
                new.setdefault(request.function, []).append(request)
            pending.requests.append(request)
        for function, begun in new.items():
            try:
                self._submit(function, begun)
            except Exception as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
                for request in begun:
                    self._fail(self._pending[request.key], error)
        for request in requests:  # last, for it may have been cancelled by now
            request.future.add_done_callback(partial(self._when_done, request))

    def _submit(self, function: Function, requests: Sequence[Request]) -> None:
        if self._client.status in ("closing", "closed"):  # it would wait for ever
            raise WorkerError(
                f"{function.header.name}() cannot be evaluated: the connection to the scheduler at "
                f"{self._place.address or 'this machine'} is lost; make another engine"
            )
        if function.payload is None:
            function.payload = as_payload(self._client, function.packed)
        calls = [(request.key, request.call) for request in requests]
        futures = send(self._client, evaluate, function.header, function.payload, calls)
        for request, future in zip(requests, futures, strict=True):
            pending = self._pending[request.key]
            pending.future = future
            pending.watch = self._loop.create_task(self._watch(pending))

    def _when_done(self, request: Request, future: Future[Any]) -> None:
        """In any thread: have a task dropped that nobody waits for any more."""
        if future.cancelled():
            self._later(self._abandon, request)

    def _abandon(self, request: Request) -> None:
        pending = self._pending.get(request.key)
        if pending is None or request not in pending.requests:
            return
        pending.requests.remove(request)
        if not pending.requests:
            del self._pending[request.key]
            if pending.watch is not None:
                pending.watch.cancel()
            if pending.future is not None:
                pending.future.release()

    async def _watch(self, pending: _Pending) -> None:
        """Wait for a task; results that come at the same time are fetched together."""
        error = await pending.future.exception()
        if pending.future.status == "finished":
            self._arrived.append(pending)
            if self._gathering is None or self._gathering.done():
                self._gathering = self._loop.create_task(self._gather())
        else:
            self._fail(pending, error or CancelledError(GONE))

    async def _gather(self) -> None:
        while self._arrived:
            arrived, self._arrived = self._arrived, []
            try:
                outcomes = await self._client.gather([pending.future for pending in arrived])
            except Exception:  # noqa: BLE001 -- of which one, and what it is, is found out below
                for pending in arrived:
                    await self._gather_one(pending)
            else:
                for pending, outcome in zip(arrived, outcomes, strict=True):
                    self._settle(pending, outcome)

    async def _gather_one(self, pending: _Pending) -> None:
        try:
            outcome = await self._client.gather(pending.future)
        except Exception as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
            self._fail(pending, error)
        else:
            self._settle(pending, outcome)

    def _settle(self, pending: _Pending, outcome: Outcome) -> None:
        if not outcome.failed:
            digest = pending.function.header.digest
            self._kept.keep(pending.key, digest, pending.future, outcome.size)
            self._answer(pending, lambda read: read(outcome))
        elif outcome.root in {request.call.root for request in pending.requests}:
            pending.future.release()
            # Behind the release, so that who calls again does not get the same.
            self._loop.call_soon(self._answer, pending, lambda read: read(outcome))
        else:
            self._try_again(pending)

    def _try_again(self, pending: _Pending) -> None:
        """Have a call computed anew whose error arose for somebody else, at some other time."""
        request = pending.requests[0]
        key = f"{request.key[:-32]}{uuid.uuid4().hex}"
        futures = send(
            self._client,
            evaluate,
            pending.function.header,
            pending.function.payload,
            [(key, request.call)],
        )
        pending.future = futures[0]
        pending.watch = self._loop.create_task(self._watch(pending))

    def _fail(self, pending: _Pending, error: BaseException) -> None:
        meant = explain(error, pending.function.header.name)

        def fetch(_read: object) -> Any:
            raise meant

        self._answer(pending, fetch)

    def _answer(self, pending: _Pending, fetch: Callable[[Callable[[Outcome], Any]], Any]) -> None:
        if self._pending.get(pending.key) is pending:
            del self._pending[pending.key]
        for request in pending.requests:
            if request.future.set_running_or_notify_cancel():
                try:
                    request.future.set_result(fetch(request.read))
                except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
                    request.future.set_exception(error)

    async def _leave(self) -> None:
        """Answer those who wait, and hold on to nothing."""
        with self._lock:
            left = [request.future for request in self._inbox]
        for pending in self._pending.values():
            left += [request.future for request in pending.requests]
            if pending.watch is not None:
                pending.watch.cancel()
        if self._gathering is not None:
            self._gathering.cancel()
        for future in left:
            future.cancel()
            future.set_running_or_notify_cancel()
        self._pending.clear()
        self._kept.clear()
