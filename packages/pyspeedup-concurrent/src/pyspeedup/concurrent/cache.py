"""A memoized function whose calls are evaluated by an engine: worker processes unless told otherwise."""

from __future__ import annotations

import functools
import os
import weakref
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, overload

from pyspeedup.concurrent._caching import here, options
from pyspeedup.concurrent._caching.arrivals import KINDS
from pyspeedup.concurrent._caching.binding import first_argument, unwrapped
from pyspeedup.concurrent._caching.bound import BoundCache
from pyspeedup.concurrent._caching.calls import Normalizer, as_call
from pyspeedup.concurrent._caching.engine_source import EngineSource, close_shared_engines
from pyspeedup.concurrent._caching.evaluating import Evaluating
from pyspeedup.concurrent._caching.memories import Everything, make_memory
from pyspeedup.concurrent._caching.nested import refusals
from pyspeedup.concurrent._caching.recall import Recall
from pyspeedup.concurrent._processes import shipping

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, MutableMapping
    from concurrent.futures import Future

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.concurrent._caching.cache_info import CacheInfo
    from pyspeedup.concurrent._caching.profile import Profile
    from pyspeedup.core import Engine

__all__ = ["BoundCache", "Cache", "close_shared_engines"]

P = ParamSpec("P")
R = TypeVar("R")


class Cache(Generic[P, R]):
    """A function that remembers its results and is evaluated outside of this process.

    Used as a decorator, bare or with keyword arguments, on functions and on methods; of
    ``@classmethod`` and ``@staticmethod`` it goes into the line above (in the one below it hears
    nothing of the class, which hints, `submit` and `map` then lack). Calling it
    answers from memory, or has the call evaluated and waits. Calls that mean the same are one:
    ``f(1)``, ``f(n=1)`` and a default written out. Equal arguments mean the same call, ``1``,
    ``1.0`` and ``True`` too. Where the function calls itself, its own name means a plain Python
    function with a memory, so that recursion is fast and as deep as memory allows.

    The function must be pure, its arguments hashable, and arguments and results must be able to
    travel between processes. An error raised by the function reaches the caller and is not
    remembered. Whoever asks for the same call at the same time has it evaluated once.

    `engine` is the name of a registered engine (``"processes"``, the default, ``"threads"``,
    ``"serial"``), shared by all Caches that name it, or an engine of your own. `workers` sets how many
    calls such a shared engine evaluates at the same time (else PYSPEEDUP_WORKERS, else the
    cores). `maxsize` keeps only so many results, those used last; `store`, any mapping with any keys,
    keeps them there, beyond the life of the process if it does; they are found again by a function of
    the same name and source that brings along equal values, which must pickle (else `TypeError`).
    Module variables and functions that it calls are not looked at: after changing one, `cache_clear`.

    A hit costs little more than one of `functools.lru_cache`, for it is one: each spelling of a call
    that was answered is kept there, beside the answers. With `maxsize` a hit costs some five
    times as much, with `store` 1 to 3 us and what that takes; a miss a round trip to a worker, 0.1 ms.

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

    _has_class_of_its_own = False

    @overload
    def __new__(cls, func: classmethod[Any, P, R], **settings: Any) -> Cache[P, R]: ...

    @overload
    def __new__(cls, func: Callable[P, R], **settings: Any) -> Cache[P, R]: ...

    @overload
    def __new__(cls, **settings: Any) -> Callable[[Callable[P, R]], Cache[P, R]]: ...  # type: ignore[misc]  # without a function it is a decorator

    def __new__(cls, *functions: Any, **settings: Any) -> Any:
        """Make a Cache; without a function, what makes one of it."""
        if functions or "func" in settings:
            return super().__new__(_class_of_its_own() if cls is Cache else cls)
        return functools.partial(cls, **settings)

    def __init__(
        self,
        func: Callable[P, R] | classmethod[Any, P, R],
        *,
        engine: str | Engine | None = None,
        workers: int | None = None,
        maxsize: int | None = None,
        store: MutableMapping[Any, Any] | None = None,
    ) -> None:
        """Start nothing yet; `func` is shipped when it is first called."""
        func, self._binding = unwrapped(func)
        options.check_function(func)
        options.check_store(store)
        functools.update_wrapper(self, func)
        if not hasattr(func, "__qualname__"):  # a partial, or an object that can be called
            self.__name__, self.__qualname__ = options.name_of(func), type(func).__qualname__
        self._normalize = Normalizer(func)
        self._source = EngineSource(engine, workers)
        options.check_workers(engine, workers)
        self._maxsize = options.check_maxsize(maxsize, store)
        self._evaluating = Evaluating(self._normalize, self._source, weakref.ref(self))
        self._take_up(Recall(make_memory(func, self._maxsize, store)))
        self._identity = shipping.register(self)
        _caches.add(self)

    # Calling ----------------------------------------------------------------------------------

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Answer from memory, or have the call evaluated and wait for it.

        `TypeError` if the function does not take these arguments or one is not hashable (in the words
        of functools; `submit` names the argument); else whatever the function raises; `WorkerError` if
        it killed its workers.
        """
        return self._recall.call(*args, **kwargs)  # type: ignore[no-any-return]  # what our function returned

    def _take_up(self, recall: Recall) -> None:
        """Answer by `recall` from now on; what is under way ends in the former one."""
        recall.answer_by(self._evaluating.answerer(recall))
        self._recall = recall
        self._set_call()

    def only_pass_on(self) -> None:
        """Have no memory before the engine, which evaluates here and alone knows what to forget."""
        self._recall.pass_on_to(self._evaluating.answerer(self._recall))
        self._set_call()

    def _set_call(self) -> None:
        """Let Python find what answers calls.

        It looks in an object's class. So that a hit takes not one step of Python, each Cache has a
        class of its own, in which that is an object written in C.
        """
        if self._has_class_of_its_own:
            type(self).__call__ = staticmethod(self._recall.call)  # type: ignore[method-assign]  # see above

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
        local = self._evaluating.local()
        if local is not None:
            local.apply_async(*args, **kwargs)
            return
        self._evaluating.begin(self._recall, self._normalize(args, kwargs))

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
        local = self._evaluating.local()
        if local is not None:
            local.batch_async(*calls)
            return
        for key in keys:
            self._evaluating.begin(self._recall, key)

    def submit(self, /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Begin a call elsewhere and return a future of it, in about 30 us; one of a known call is done.

        The future is the caller's own. Cancelling it drops the call if it has not begun and nobody
        else wants it; one that has begun goes on, and is remembered. `asyncio.wrap_future` makes it one to
        await. Inside a worker the call is evaluated at once. `TypeError` as for a call.

        >>> @Cache
        ... def square(n):
        ...     return n * n
        >>> square.submit(12).result(timeout=60)
        144
        """
        key = self._normalize(args, kwargs)
        return self._evaluating.future(self._recall, key)

    def map(
        self,
        *iterables: Iterable[Any],
        ordered: bool = True,
        progress: bool = False,
        timeout: float | None = None,
        chunksize: int | None = None,
        buffersize: int | None = None,
    ) -> Iterator[R]:
        """Begin a call for each item, or each set of items, and return an iterator over the results.

        They come in the order of the items, or as they are there if not `ordered`. What is known is
        not evaluated again, and every result is remembered. Calls go to workers in chunks, sized by
        how long they take unless `chunksize` says so: some 2 us a call, of 10 us or of 10 minutes. At most
        `buffersize` calls (4,096 a worker unless given) are begun beyond the results read, so that
        the items may be without end.

        An error is raised at its place; so is `TimeoutError`, where a result is not there `timeout`
        seconds after this call. Both end the iterator, as does its ``close()`` or leaving it behind, and drop what
        has not begun. `progress` shows a bar, for which tqdm must be installed
        (``pyspeedup-concurrent[progress]``), else `ImportError`. Inside a worker calls are
        evaluated as they are asked for, whatever `timeout` says, and idle workers are told of the next.

        >>> @Cache
        ... def square(n):
        ...     return n * n
        >>> list(square.map(range(5)))
        [0, 1, 4, 9, 16]
        """
        from pyspeedup.concurrent._caching.map_options import MapOptions  # 1 ms, with the next one
        from pyspeedup.concurrent._caching.reading import read_results

        given = MapOptions(ordered, progress, timeout, chunksize, buffersize)
        return read_results(self._evaluating, lambda: self._recall, iterables, given)

    def profile(self) -> Profile:
        """Return what is known of how the calls went: a table, advice, a trace and a picture.

        Of this moment. Costs some milliseconds where workers did much. Times are those since the
        engine began, or since `cache_clear` where it counts anew. `RuntimeError` inside a worker process.

        >>> print(Cache(abs, engine="serial").profile())  # doctest: +ELLIPSIS
        abs, evaluated by Serial with 1 worker
          answered from memory        0
        ...
        """
        from pyspeedup.concurrent._caching.profile import profile_of  # for few programs

        self._refuse_in_worker("profile")
        engine, number = defined = self._evaluator()  # noqa: F841 -- kept meanwhile
        return profile_of(engine, number, self)

    def _evaluator(self) -> tuple[Engine, int]:
        """Return the engine and the number that it knows our function by."""
        return self._evaluating.engine_and_number()

    # The face of functools --------------------------------------------------------------------

    def cache_info(self) -> CacheInfo:
        """Return hits, misses, the bound and the number of results, in O(1).

        A miss is an evaluation that was begun, by a hint too; a hit is a call that took none. Counts
        this process only. With a `store`, the number costs a walk through it. `RuntimeError` inside a
        worker process.

        >>> Cache(abs).cache_info()
        CacheInfo(hits=0, misses=0, maxsize=None, currsize=0)
        """
        from pyspeedup.concurrent._caching.cache_info import (
            CacheInfo,
        )  # 0.2 ms, or 1, see `messages`

        self._refuse_in_worker("cache_info")
        hits, misses, size = self._recall.counts()
        return CacheInfo(hits, misses, self._maxsize, size)

    def cache_clear(self) -> None:
        """Forget all results, here and in the workers, and set the counts to 0.

        Calls under way still answer those who wait for them, but are not remembered. `RuntimeError`
        inside a worker process.

        >>> square = Cache(lambda n: n * n)
        >>> square(4)
        16
        >>> square.cache_clear()
        >>> square.cache_info().currsize
        0
        """
        self._refuse_in_worker("cache_clear")
        with self._evaluating.forgetting:
            self._evaluating.forget()  # first, so that nothing begun after it brings back the old
            self._recall.retire()
            self._take_up(Recall(self._recall.memory))

    def cache_parameters(self) -> dict[str, Any]:
        """Return what `functools.lru_cache` tells of itself.

        >>> Cache(abs, maxsize=8).cache_parameters()
        {'maxsize': 8, 'typed': False}
        """
        return {"maxsize": self._maxsize, "typed": False}

    def _refuse_in_worker(self, what: str) -> None:
        """Raise `RuntimeError` where this is a copy of the program's Cache, which knows nothing."""
        if here.worker is not None and self._source.evaluates_in_workers:
            refusals(self.__name__)[what]()

    def __repr__(self) -> str:
        return f"<Cache of {self._normalize.name}>"

    # Methods ----------------------------------------------------------------------------------

    def __set_name__(self, owner: type, name: str) -> None:
        self._binding = self._binding or "instance"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to `instance`, which becomes the first argument and so must be hashable, or to `owner`."""
        first = first_argument(self._binding, instance, owner)
        return self if first is None else BoundCache(self, first)

    # Travelling -------------------------------------------------------------------------------

    @property
    def identity(self) -> str:
        """What references to this Cache name it by, in every process."""
        return self._identity

    @property
    def is_method(self) -> bool:
        """Whether it was defined in a class."""
        return bool(self._binding)

    @property
    def binding(self) -> Binding:
        """To what it is bound where it is looked up in a class."""
        return self._binding

    @property
    def kind(self) -> type[shipping.Structure]:
        """What makes the other end of a reference to this Cache."""
        if not self._source.evaluates_in_workers:
            return Cache
        return KINDS[self._binding]

    def __reduce__(self) -> Any:
        """Travel as a reference; see `pyspeedup.concurrent._processes.shipping`."""
        return shipping.reference(self.kind, self._identity, self._definition)

    def _definition(self) -> tuple[Any, ...]:
        known_as = None
        if self._source.evaluates_in_workers:
            engine, number = self._evaluator()
            known_as = engine.known_as(number)  # type: ignore[attr-defined]  # of engines that evaluate in workers
        settings = (*self._source.definition(), self._maxsize)
        return (self._identity, self.__wrapped__, self._binding, known_as, settings)

    @classmethod
    def _shell(cls, _identity: str) -> Cache[Any, Any]:
        return object.__new__(_class_of_its_own())

    @classmethod
    def _fill(cls, shell: Cache[Any, Any], definition: tuple[Any, ...]) -> None:
        identity, function, binding, _, (engine, workers, maxsize) = definition
        Cache.__init__(shell, function, engine=engine, workers=workers, maxsize=maxsize)
        shell._binding = binding
        shell._identity = shipping.register(shell, identity)


def _class_of_its_own() -> type[Cache[Any, Any]]:
    """Return a class for one Cache, which passes for `Cache`."""
    namespace = {
        **{name: getattr(Cache, name) for name in ("__doc__", "__module__", "__qualname__")},
        "__slots__": (),
        "_has_class_of_its_own": True,
    }
    return type(Cache.__name__, (Cache,), namespace)


_caches: weakref.WeakSet[Cache[Any, Any]] = weakref.WeakSet()


def _after_fork() -> None:
    """Have no call under way in a forked process, for nobody would ever answer it there."""
    for cache in list(_caches):
        cache._recall.begin_afresh()  # noqa: SLF001 -- the same module
        cache._evaluating.begin_afresh()  # noqa: SLF001 -- likewise


def _forget_all() -> None:
    """In a worker, what was inherited answers nothing: the engine says when results are stale."""
    for cache in list(_caches):
        cache._take_up(Recall(Everything()))  # noqa: SLF001 -- the same module
        if cache._source.evaluates_in_workers:  # noqa: SLF001 -- likewise
            shipping.unregister(cache.identity)


here.at_start.append(_forget_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
