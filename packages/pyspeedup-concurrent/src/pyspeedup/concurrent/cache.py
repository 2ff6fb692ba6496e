"""A memoized function whose calls are evaluated by an engine: worker processes unless told otherwise."""

from __future__ import annotations

import functools
import inspect
import os
import threading
import weakref
from collections.abc import MutableMapping
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, ParamSpec, TypeVar, overload

from pyspeedup.concurrent._caching import here
from pyspeedup.concurrent._caching.calls import Key, Normalizer, arguments_of, as_call
from pyspeedup.concurrent._caching.memories import Everything, Memory, Recent, Stored
from pyspeedup.concurrent._caching.workers import number_of_workers
from pyspeedup.concurrent._processes import shipping
from pyspeedup.core import Engine, engines

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["BoundCache", "Cache", "CacheInfo", "close_shared_engines"]

P = ParamSpec("P")
R = TypeVar("R")

DEFAULT_ENGINE: Final = "processes"
_MISSING: Final = object()


class CacheInfo(NamedTuple):
    """What `Cache.cache_info` tells, as `functools` does.

    >>> CacheInfo(hits=1, misses=2, maxsize=None, currsize=2)._asdict()["hits"]
    1
    """

    hits: int
    misses: int
    maxsize: int | None
    currsize: int


class Cache(Generic[P, R]):
    """A function that remembers its results and is evaluated outside of this process.

    Used as a decorator, bare or with keyword arguments, on functions and on methods. Calling it
    answers from memory, or has the call evaluated and waits. Calls that mean the same are one:
    ``f(1)``, ``f(n=1)`` and a default written out. Equal arguments mean the same call, ``1``,
    ``1.0`` and ``True`` too. Where the function calls itself, its own name means a plain Python
    function with a memory, so that recursion is fast and as deep as memory allows.

    The function must be pure, its arguments hashable, and arguments and results must be able to
    travel between processes. An error raised by the function reaches the caller and is not
    remembered. Threads that ask for the same call at the same time have it evaluated once.

    `engine` is the name of a registered engine (``"processes"``, the default, ``"threads"``,
    ``"serial"``), shared by all Caches that name it, or an engine of your own. `workers` sets how many
    calls such a shared engine evaluates at the same time (else PYSPEEDUP_WORKERS, else the
    cores). `maxsize` keeps only so many results, those used last; `store`, any mutable mapping,
    keeps them there, beyond the life of the process if it does; they are found again by a function of
    the same name and source that brings along equal values, which must pickle (else `TypeError`).

    A hit costs about 0.2 us. A miss costs a round trip to a worker, about 0.1 ms.

    >>> @Cache
    ... def fibonacci(n):
    ...     if n < 2:
    ...         return 1
    ...     fibonacci.batch_async((n - 1,), (n - 2,))
    ...     return fibonacci(n - 1) + fibonacci(n - 2)
    >>> fibonacci(200)
    453973694165307953197296969697410619233826
    >>> fibonacci.cache_info()
    CacheInfo(hits=0, misses=1, maxsize=None, currsize=1)
    """

    __wrapped__: Callable[P, R]
    __name__: str
    __qualname__: str

    @overload
    def __new__(cls, func: Callable[P, R], **options: Any) -> Cache[P, R]: ...

    @overload
    def __new__(cls, **options: Any) -> Callable[[Callable[P, R]], Cache[P, R]]: ...  # type: ignore[misc]  # without a function it is a decorator

    def __new__(cls, *functions: Any, **options: Any) -> Any:
        """Make a Cache; without a function, what makes one of it."""
        if functions or "func" in options:
            return super().__new__(cls)
        return functools.partial(cls, **options)

    def __init__(
        self,
        func: Callable[P, R],
        *,
        engine: str | Engine | None = None,
        workers: int | None = None,
        maxsize: int | None = None,
        store: MutableMapping[Any, Any] | None = None,
    ) -> None:
        """Start nothing yet; `func` is shipped when it is first called."""
        _check_function(func)
        _check_store(store)
        functools.update_wrapper(self, func)
        if not hasattr(func, "__qualname__"):  # a partial, or an object that can be called
            self.__name__, self.__qualname__ = _name_of(func), type(func).__qualname__
        self._normalize = Normalizer(func)
        self._source = _EngineSource(engine, workers)
        self._maxsize = _check_maxsize(maxsize, store)
        self._memory: Memory = (
            Stored(store, func)
            if store is not None
            else Everything()
            if maxsize is None
            else Recent(maxsize)
        )
        self._remembered = self._memory.get
        self._hits = self._misses = 0
        self._is_method = False
        self._defined: tuple[Engine, int] | None = None
        self._begin_afresh()
        self._identity = shipping.register(self)
        _caches.add(self)

    def _begin_afresh(self) -> None:
        """Have no call under way."""
        self._pending: dict[Key, Future[R]] = {}
        self._lock = threading.Lock()

    # Calling ----------------------------------------------------------------------------------

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Answer from memory, or have the call evaluated and wait for it.

        `TypeError` if the function does not take these arguments or one is not hashable; else
        whatever the function raises; `WorkerError` if it killed its workers.
        """
        if not kwargs:
            try:
                value: Any = self._remembered(args, _MISSING)
            except TypeError:  # not hashable: explained below
                value = _MISSING
            if value is not _MISSING:
                self._hits += 1
                return value  # type: ignore[no-any-return]  # it was remembered for these arguments
        return self._answer(self._normalize(args, kwargs))

    def apply_async(self, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Begin a call elsewhere and return at once; a call that is known or under way is left alone.

        Costs about 20 us. What goes wrong is told to whoever calls for the result.

        >>> @Cache
        ... def square(n):
        ...     return n * n
        >>> square.apply_async(12)
        >>> square(12)
        144
        """
        local = self._local()
        if local is not None:
            local.apply_async(*args, **kwargs)
            return
        self._begin(self._normalize(args, kwargs))

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Begin several calls elsewhere, each given as a tuple of arguments, one of one too.

        `TypeError` for anything but a tuple, before any call is begun.

        >>> @Cache
        ... def square(n):
        ...     return n * n
        >>> square.batch_async((12,), (13,))
        >>> square(12), square(13)
        (144, 169)
        >>> square.batch_async(12)
        Traceback (most recent call last):
        TypeError: square.batch_async takes a tuple of arguments for each call: write (12,) instead of 12
        """
        name = self._normalize.name
        keys = [self._normalize(as_call(call, name), {}) for call in calls]
        local = self._local()
        if local is not None:
            local.batch_async(*calls)
            return
        for key in keys:
            self._begin(key)

    def _hit(self, value: R) -> R:
        self._hits += 1
        return value

    def _answer(self, key: Key) -> R:
        value: Any = self._remembered(key, _MISSING)
        if value is not _MISSING:
            return self._hit(value)
        self._misses += 1
        local = self._local()
        if local is not None:
            args, kwargs = arguments_of(key)
            return local(*args, **kwargs)  # type: ignore[no-any-return]  # it stands for our function
        return self._begin(key).result()

    def _begin(self, key: Key) -> Future[R]:
        """Return the future of a call, begun now unless it is under way.

        Built so that Ctrl-C at any point leaves no call that is never answered.
        """
        pending, own = self._pending, Future[R]()
        try:
            future = pending.setdefault(key, own)
            if future is own:
                self._submit(pending, key, own)
        except BaseException as error:
            if pending.get(key) is own:
                del pending[key]
                own.set_exception(error)
            raise
        return future

    def _submit(self, pending: dict[Key, Future[R]], key: Key, own: Future[R]) -> None:
        value: Any = self._remembered(key, _MISSING)
        if value is not _MISSING:  # it came while we were on our way here
            own.set_result(value)
            del pending[key]
            return
        args, kwargs = arguments_of(key)
        engine, number = self._evaluator()
        begun = engine.submit(number, args, kwargs)
        begun.add_done_callback(functools.partial(self._settle, pending, key, own))

    def _settle(
        self, pending: dict[Key, Future[R]], key: Key, own: Future[R], done: Future[R]
    ) -> None:
        """Remember a result, then let those who wait see it. Runs in a thread of the engine."""
        try:
            value = done.result()
            with self._lock:
                if pending is self._pending:  # else `cache_clear` came between
                    self._memory[key] = value
        except BaseException as error:  # noqa: BLE001 -- it is for those who wait, whatever it is
            if pending.get(key) is own:
                del pending[key]
                own.set_exception(error)
            return
        if pending.get(key) is own:
            del pending[key]
            own.set_result(value)

    def _local(self) -> Any:
        engine, number = self._evaluator()
        return engine.local(number)

    def _evaluator(self) -> tuple[Engine, int]:
        """Return the engine and the number that it knows our function by."""
        engine = self._source.engine
        defined = self._defined
        if defined is None or defined[0] is not engine:
            with self._lock:
                if self._defined is None or self._defined[0] is not engine:
                    number = engine.define(self.__wrapped__, self.__name__, self)
                    self._defined = (engine, number)
                defined = self._defined
        return defined

    # The face of functools --------------------------------------------------------------------

    def cache_info(self) -> CacheInfo:
        """Return hits, misses, the bound and the number of results, in O(1).

        Counts this process only. With a `store`, the number costs a walk through it.

        >>> Cache(abs).cache_info()
        CacheInfo(hits=0, misses=0, maxsize=None, currsize=0)
        """
        return CacheInfo(self._hits, self._misses, self._maxsize, len(self._memory))

    def cache_clear(self) -> None:
        """Forget all results, here and in the workers, and set the counts to 0.

        Calls under way still answer those who wait for them, but are not remembered.

        >>> square = Cache(lambda n: n * n)
        >>> square(4)
        16
        >>> square.cache_clear()
        >>> square.cache_info().currsize
        0
        """
        if self._defined is not None:  # first, so that nothing begun after it brings back the old
            engine, number = self._defined
            engine.forget(number)
        with self._lock:
            self._pending = {}
            self._memory.clear()
            self._hits = self._misses = 0

    def cache_parameters(self) -> dict[str, Any]:
        """Return what `functools.lru_cache` tells of itself.

        >>> Cache(abs, maxsize=8).cache_parameters()
        {'maxsize': 8, 'typed': False}
        """
        return {"maxsize": self._maxsize, "typed": False}

    def __repr__(self) -> str:
        return f"<Cache of {self._normalize.name}>"

    # Methods ----------------------------------------------------------------------------------

    def __set_name__(self, owner: type, name: str) -> None:
        self._is_method = True

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to `instance`, which becomes the first argument and so must be hashable."""
        return self if instance is None else BoundCache(self, instance)

    # Travelling -------------------------------------------------------------------------------

    @property
    def identity(self) -> str:
        """What references to this Cache name it by, in every process."""
        return self._identity

    @property
    def is_method(self) -> bool:
        """Whether it was defined in a class."""
        return self._is_method

    @property
    def kind(self) -> type[shipping.Structure]:
        """What makes the other end of a reference to this Cache."""
        if not self._source.evaluates_in_workers:
            return Cache
        return _EvaluatedMethod if self._is_method else _EvaluatedFunction

    def __reduce__(self) -> Any:
        """Travel as a reference; see `pyspeedup.concurrent._processes.shipping`."""
        return shipping.reference(self.kind, self._identity, self._definition)

    def _definition(self) -> tuple[Any, ...]:
        number = self._evaluator()[1] if self._source.evaluates_in_workers else None
        options = (*self._source.definition(), self._maxsize)
        return (self._identity, self.__wrapped__, self._is_method, number, options)

    @classmethod
    def _shell(cls, _identity: str) -> Cache[Any, Any]:
        return object.__new__(Cache)

    @classmethod
    def _fill(cls, shell: Cache[Any, Any], definition: tuple[Any, ...]) -> None:
        identity, function, is_method, _, (engine, workers, maxsize) = definition
        Cache.__init__(shell, function, engine=engine, workers=workers, maxsize=maxsize)
        shell._is_method = is_method
        shell._identity = shipping.register(shell, identity)


class _EvaluatedFunction:
    """How a Cache arrives whose calls are evaluated in workers: there, as what it means in them."""

    is_method = False

    @classmethod
    def _shell(cls, identity: str) -> Any:
        if here.worker is None:
            return Cache._shell(identity)  # noqa: SLF001 -- the same module
        return here.worker.meanings.shell(identity, is_method=cls.is_method)

    @classmethod
    def _fill(cls, shell: Any, definition: tuple[Any, ...]) -> None:
        if here.worker is None:
            Cache._fill(shell, definition)  # noqa: SLF001 -- the same module
            return
        identity, function, _, number, _ = definition
        here.worker.meanings.fill(identity, function, _name_of(function), number)


class _EvaluatedMethod(_EvaluatedFunction):
    """The same, for a Cache that was defined in a class."""

    is_method = True


class BoundCache:
    """A method that is a `Cache`, bound to its instance.

    >>> class Tower:
    ...     def __init__(self, base):
    ...         self.base = base
    ...     @Cache
    ...     def height(self, n):
    ...         return self.base if n == 0 else self.height(n - 1) + 1
    >>> Tower(10).height(5)
    15
    """

    def __init__(self, cache: Cache[Any, Any], instance: Any) -> None:
        """Hold both."""
        functools.update_wrapper(self, cache.__wrapped__)
        self.__func__ = cache
        self.__self__ = instance
        self.cache_info = cache.cache_info
        self.cache_clear = cache.cache_clear
        self.cache_parameters = cache.cache_parameters

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Call the method."""
        return self.__func__(self.__self__, *args, **kwargs)

    def apply_async(self, /, *args: Any, **kwargs: Any) -> None:
        """Begin a call elsewhere; see `Cache.apply_async`."""
        self.__func__.apply_async(self.__self__, *args, **kwargs)

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Begin several calls elsewhere; see `Cache.batch_async`."""
        name = self.__func__.__qualname__
        self.__func__.batch_async(*((self.__self__, *as_call(call, name)) for call in calls))


class _EngineSource:
    """The engine of a Cache: its own, or the one shared by all who give the same name."""

    def __init__(self, engine: str | Engine | None, workers: int | None) -> None:
        self._given = engine
        self._workers = None if workers is None else number_of_workers(workers, 1)
        if isinstance(engine, str):
            engines.get(engine)  # an unknown name is an error here, not at the first call
        elif engine is not None and not isinstance(engine, Engine):
            raise TypeError(
                f"engine must be the name of an engine or an object with the methods of "
                f"pyspeedup.core.Engine, not {engine!r}"
            )
        elif engine is not None and workers is not None:
            raise ValueError(
                f"workers={workers} is for an engine given by name; tell the engine object itself"
            )

    @property
    def engine(self) -> Engine:
        if self._given is None or isinstance(self._given, str):
            return _shared_engine(self._given or DEFAULT_ENGINE, self._workers)
        return self._given

    @property
    def evaluates_in_workers(self) -> bool:
        return getattr(self.engine, "evaluates_in_workers", False)

    def definition(self) -> tuple[str | Engine | None, int | None]:
        return self._given, self._workers


_shared_engines: dict[tuple[str, int | None], Engine] = {}
_sharing = threading.Lock()


def _shared_engine(name: str, workers: int | None) -> Engine:
    """Return the engine that all who say the same share, made when it is first needed."""
    engine = _shared_engines.get((name, workers))
    if engine is not None:
        return engine
    with _sharing:
        if (name, workers) not in _shared_engines:
            options = {} if workers is None else {"workers": workers}
            _shared_engines[name, workers] = engines.get(name)(**options)
        return _shared_engines[name, workers]


def close_shared_engines() -> None:
    """End the workers that Caches share, now; the next call starts new ones.

    They end with the program anyway. Calls under way are cancelled. Results stay remembered.

    >>> close_shared_engines()
    """
    with _sharing:
        closed = [*_shared_engines.values()]
        _shared_engines.clear()
    for engine in closed:
        engine.close()


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _check_function(function: Any) -> None:
    if isinstance(function, staticmethod | classmethod):
        kind = type(function).__name__
        raise TypeError(f"Cache goes below {kind}: write @{kind} in the line above @Cache")
    if not callable(function):
        raise TypeError(f"Cache needs a function to remember the results of, not {function!r}")
    if inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{function.__qualname__} is a generator, which has no result to remember; use Buffer"
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__qualname__} is asynchronous, which Cache cannot evaluate")


def _check_store(store: Any) -> None:
    if store is not None and not isinstance(store, MutableMapping):
        raise TypeError(f"store must be a MutableMapping, as a dict is, not {store!r}")


def _check_maxsize(maxsize: Any, store: Any) -> int | None:
    if maxsize is None:
        return None
    if not isinstance(maxsize, int):
        raise TypeError(f"maxsize must be None (for all) or an int, not {maxsize!r}")
    if maxsize < 0:
        raise ValueError(f"maxsize must be None (for all) or at least 0, not {maxsize!r}")
    if store is not None:
        raise ValueError(
            f"maxsize={maxsize} and store exclude each other: a store has its own size"
        )
    return maxsize


_caches: weakref.WeakSet[Cache[Any, Any]] = weakref.WeakSet()


def _after_fork() -> None:
    """Have no call under way in a forked process, for nobody would ever answer it there."""
    global _sharing  # noqa: PLW0603 -- another thread may have held it
    _sharing = threading.Lock()
    for cache in list(_caches):
        cache._begin_afresh()  # noqa: SLF001 -- the same module


def _forget_all() -> None:
    """In a worker, what was inherited answers nothing: the engine says when results are stale."""
    for cache in list(_caches):
        cache._memory = Everything()  # noqa: SLF001 -- the same module
        cache._remembered = cache._memory.get  # noqa: SLF001 -- likewise
        if cache._source.evaluates_in_workers:  # noqa: SLF001 -- likewise
            shipping.unregister(cache.identity)


here.at_start.append(_forget_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
