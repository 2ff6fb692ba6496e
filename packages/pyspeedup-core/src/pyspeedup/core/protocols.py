"""What a halt condition, a serializer, a page store and an execution engine have to offer.

They are protocols: an author inherits nothing. `pyspeedup.core.testing` holds a battery for each,
which tells whether an implementation keeps its side.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from pyspeedup.core.reports import Batch, FunctionStats, Span

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = [
    "Batch",
    "BytesLike",
    "Engine",
    "EngineFactory",
    "FunctionStats",
    "HaltCondition",
    "LocalFunction",
    "PageStore",
    "PageStoreFactory",
    "Serializer",
    "SerializerFactory",
    "Span",
]

BytesLike: TypeAlias = bytes | bytearray | memoryview
"""What `Serializer.loads` must read."""


@runtime_checkable
class HaltCondition(Protocol):
    """Decides when searching a `Buffer` for an item is to stop.

    A plain function is enough:

    >>> def passed(buffer, item, attempts):
    ...     return buffer.cached[-1] > item
    >>> isinstance(passed, HaltCondition)
    True
    """

    def __call__(self, buffer: Any, item: Any, attempts: int, /) -> bool:
        """Return true to stop searching `buffer` for `item`; `in` answers from what is cached then.

        `buffer.cached` is what has arrived so far and is never empty here. `attempts` counts the
        times this search has asked before, from 0.
        """
        ...


@runtime_checkable
class Serializer(Protocol):
    """Turns one value into bytes and back.

    What `loads` returns must be equal to what `dumps` was given, and of the same type; a value for
    which that cannot be promised is refused by `dumps` with `SerializationError`.

    Optional abilities, looked up once:

    - ``options() -> dict`` returns the keyword arguments that make an equal serializer from the
      registered factory; needed where a factory takes any.
    - ``name`` is the registered name, where the factory is not the serializer's class.
    - ``reads(options) -> bool`` tells whether it reads what one with these recorded options wrote;
      without it, options have to be equal.
    - ``runs_code = False`` says that reading can run no code of the writer's, so that stores which
      others could have written may be opened without ``trust=True``.

    A factory with a method ``remake(**options)`` is asked by that for a serializer with options that a
    store recorded, and so that somebody else may have chosen; by itself, for those of the caller.

    >>> from pyspeedup.core import PickleSerializer
    >>> isinstance(PickleSerializer(), Serializer)
    True
    """

    def dumps(self, obj: Any, /) -> bytes:
        """Return `obj` as bytes, or raise `SerializationError`."""
        ...

    def loads(self, data: BytesLike, /) -> Any:
        """Return the value that `data` was made from, or raise `SerializationError`."""
        ...


@runtime_checkable
class PageStore(Protocol):
    """Keeps numbered pages of bytes and commits them all or not at all.

    A page that was written is seen by `read` at once, but only a `commit` makes it last: a store
    that is closed, or whose process is killed, without one is found as the last commit left it.

    Optional abilities, looked up once:

    - ``rollback()`` drops what was not committed without closing.
    - ``abandon()`` lets go of descriptors in a forked child without touching the parent's store.
    - ``peek(page, start, stop) -> bytes`` returns ``read(page)[start:stop]`` without the cost of
      reading the page; `KeyError` where there is none. What it returns need not be checked by the
      store. A store that has to get whole pages leaves it out: the last of them are kept for it.
    - ``write_checked(page, data, checksum)`` does what `write` does, told ``zlib.crc32(data)``, so
      that a store that keeps checksums of its own need not compute them again.

    A registered factory with ``uses_folder = False`` keeps nothing in the folder that it is given.
    """

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Lock the store and return the `meta` of its last commit, None where there is none yet.

        `create` allows what is missing to be made. Raises `StoreLockedError` when another process
        has it open in a way that excludes this one, `StoreCorruptedError` when it is damaged,
        and `FileNotFoundError` when it is missing and `create` is false.
        """
        ...

    def read(self, page: int) -> BytesLike:
        """Return the bytes of `page`; `KeyError` where there is none."""
        ...

    def write(self, page: int, data: BytesLike) -> None:
        """Make `data` the bytes of `page`, from the next commit on for good."""
        ...

    def delete(self, page: int) -> None:
        """Drop `page`, from the next commit on for good; `KeyError` where there is none."""
        ...

    def commit(self, meta: bytes, *, durable: bool = False) -> None:
        """Make all that was written and deleted last, atomically, together with `meta`.

        After it, a killed process loses none of it; with `durable`, a loss of power does not either.
        """
        ...

    def close(self) -> None:
        """Unlock and let go of everything, dropping what was not committed; again is harmless."""
        ...


@runtime_checkable
class LocalFunction(Protocol):
    """What a function's own name means where an engine evaluates it."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer a nested call."""
        ...

    def apply_async(self, *args: Any, **kwargs: Any) -> None:
        """Hint that this call will be wanted, so that somebody idle may begin it."""
        ...

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Hint that each of these argument tuples will be wanted."""
        ...


@runtime_checkable
class Engine(Protocol):
    """Evaluates calls of functions that it was told of, somewhere.

    An engine starts nothing before its first `submit`, may be used from several threads, and leaves
    no process behind. It may evaluate a call twice (after a worker's death, or because two callers
    were faster than the news), so functions are to be pure. A future of it that is cancelled
    before its call has begun takes the call with it.

    Optional abilities, looked up once:

    - ``submit_batch(function_id, calls) -> Future[Batch]`` begins several calls together, each a tuple
      of positional arguments, to be evaluated one after the other up to the first error. Without it
      calls go one by one.
    - ``evaluates_here = True`` says that it evaluates in the process that it is asked from, so that
      forgetting there reaches all that nested calls remember.
    - ``stats(function_id) -> FunctionStats`` tells what it counted.
    - ``trace() -> list[Span]`` tells what its workers did, the last of it where there was much.
    """

    @property
    def workers(self) -> int:
        """How many calls it can evaluate at the same time."""
        ...

    def define(self, function: Callable[..., Any], name: str, structure: Any = None) -> int:
        """Take `function` in, and return the number that later calls name it by.

        Inside the function, and wherever else the engine evaluates, `local` of that number is what
        the function's own name means. `structure` is what holds that name in the program (a
        `Cache`), for engines that ship functions and so have to tell where references to it lead.
        """
        ...

    def submit(
        self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Begin a call elsewhere and return at once; the future brings its value or its error.

        `RuntimeError` after `close`.
        """
        ...

    def local(self, function_id: int) -> LocalFunction | None:
        """Return what answers nested calls in the calling thread; None outside any evaluation."""
        ...

    def forget(self, function_id: int) -> None:
        """Drop the results remembered for a function; calls already begun end as they will."""
        ...

    def close(self) -> None:
        """End every worker, dropping what is queued; again is harmless."""
        ...


SerializerFactory: TypeAlias = Callable[..., Serializer]
"""What is registered for a serializer: ``factory(**options)``."""

PageStoreFactory: TypeAlias = Callable[..., PageStore | MutableMapping[str, bytes]]
"""What is registered for a page store: ``factory(location, basename, **options)``.

`location` is the store's own folder, and `basename` what the user called it."""

EngineFactory: TypeAlias = Callable[..., Engine]
"""What is registered for an engine: ``factory(**options)``."""
