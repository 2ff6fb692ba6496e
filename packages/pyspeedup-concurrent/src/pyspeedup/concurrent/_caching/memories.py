"""Where a `Cache` keeps its answers: all of them, the recent ones, or in somebody else's mapping."""

from __future__ import annotations

import functools
import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Protocol

from pyspeedup.concurrent._caching import digests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, MutableMapping

    from pyspeedup.concurrent._caching.calls import Key

__all__ = ["Everything", "Memory", "Recent", "Stored", "make_memory"]


class Memory(Protocol):
    """What a `Cache` needs of its memory; it may be used from several threads."""

    @property
    def hits(self) -> int:
        """Calls that the front has answered."""

    def front(self, answer: Callable[..., Any], /) -> Callable[..., Any]:
        """Return what a Cache is called by: it answers calls that are known, and else asks `answer`.

        The one made last counts hits, from 0.
        """

    def get(self, key: Key, default: Any, /) -> Any:
        """Return the answer to `key`, or `default`."""

    def __setitem__(self, key: Key, value: Any, /) -> None: ...

    def update(self, answers: Iterable[tuple[Key, Any]], /) -> None:
        """Remember several answers."""

    def knows_none_of(self, keys: dict[Key, Any], /) -> bool:
        """Tell whether none of these calls is known, as far as that is told quickly."""

    def __len__(self) -> int: ...

    def clear(self) -> None:
        """Forget all, in every front too."""

    def begin_afresh(self) -> None:
        """Hold no lock, as in a forked process."""


class Everything(dict[Any, Any]):
    """Unbounded: a dict is all it takes, and its hits take no lock.

    The front keeps each spelling of a call that it was asked for, too: that costs another entry, and
    makes a hit cost what one of functools does.

    >>> memory = Everything({(3,): 9})
    >>> ask = memory.front(lambda n: memory[n,])
    >>> ask(3), ask(3), memory.hits
    (9, 9, 1)
    """

    __slots__ = ("_cached", "_fronts")

    def __init__(self, answers: Iterable[tuple[Key, Any]] | dict[Key, Any] = ()) -> None:
        """Hold `answers`, and have no front yet."""
        super().__init__(answers)
        self._cached: functools._lru_cache_wrapper[Any]
        self._fronts: weakref.WeakSet[Any] = weakref.WeakSet()
        """All of them: somebody may hold one that is not in use any more."""

    @property
    def hits(self) -> int:
        """Calls that the front has answered."""
        return self._cached.cache_info().hits

    def front(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Return what a Cache is called by; see `Memory.front`."""
        self._cached = functools.lru_cache(None)(answer)
        self._fronts.add(self._cached)
        return self._cached

    def clear(self) -> None:
        """Forget all, in every front too."""
        super().clear()
        for front in self._fronts:
            front.cache_clear()

    def begin_afresh(self) -> None:
        """Hold no lock, as ever."""

    def knows_none_of(self, keys: dict[Key, Any]) -> bool:
        """Tell whether none of these calls is known, in 40 ns each."""
        return self.keys().isdisjoint(keys.keys())


class Recent:
    """Keeps the `size` answers used last.

    >>> memory = Recent(2)
    >>> for number in (1, 2, 3):
    ...     memory[(number,)] = number * number
    >>> memory.get((1,), "gone"), memory.get((3,), "gone")
    ('gone', 9)
    """

    def __init__(self, size: int) -> None:
        """Keep at most `size`; none at all for 0."""
        self._size = size
        self._values: OrderedDict[Key, Any] = OrderedDict()
        self._hits: list[int] = [0]
        self.begin_afresh()

    def begin_afresh(self) -> None:
        """Hold no lock, as in a forked process."""
        self._lock = threading.RLock()  # arguments are compared under it, by code of the user's

    @property
    def hits(self) -> int:
        """Calls that the front has answered."""
        return self._hits[0]

    def front(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Return what a Cache is called by; see `Memory.front`."""
        values, move_to_end = self._values, self._values.move_to_end
        hits = self._hits = [0]

        def recollect(*args: Any, **kwargs: Any) -> Any:
            if not kwargs:
                try:  # two steps of C, each whole: a lock would cost more than both
                    move_to_end(args)
                    value = values[args]
                except (KeyError, TypeError):  # not known, or not hashable, which `answer` explains
                    return answer(*args)
                hits[0] += 1
                return value
            return answer(*args, **kwargs)

        return recollect

    def get(self, key: Key, default: Any, /) -> Any:
        """Return the answer and make it the one used last, in O(1)."""
        try:
            self._values.move_to_end(key)
            return self._values[key]
        except KeyError:
            return default

    def __setitem__(self, key: Key, value: Any, /) -> None:
        with self._lock:
            self._values[key] = value
            self._values.move_to_end(key)
            if len(self._values) > self._size:
                self._values.popitem(last=False)

    def update(self, answers: Iterable[tuple[Key, Any]]) -> None:
        """Remember several answers, as if each had been used in this order."""
        for key, value in answers:
            self[key] = value

    def knows_none_of(self, keys: dict[Key, Any]) -> bool:
        """Tell whether none of these calls is known."""
        with self._lock:
            return self._values.keys().isdisjoint(keys.keys())

    def __len__(self) -> int:
        return len(self._values)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()


class Stored:
    """Keeps the answers of one function in a mapping that others may use too.

    Keys carry the function's name and a digest of its source and of the values that it brings along
    (defaults, variables of an enclosing function, the parts of a partial, a method's object, what
    pickle makes a decorator's object from; of other functions among them the same), so that a changed
    function does not answer with old results; a value that cannot be pickled is a `TypeError`. The
    digest is taken at the first call, and anew after `Cache.cache_clear`. It knows nothing of the
    global variables that the function reads, the functions that it calls by such and the classes of
    its values: after changing those, call `Cache.cache_clear`.

    >>> store = {}
    >>> memory = Stored(store, abs)
    >>> memory[(-3,)] = 3
    >>> memory.get((-3,), None), len(memory), len(store)
    (3, 1, 1)
    """

    def __init__(self, store: MutableMapping[Any, Any], function: Callable[..., Any]) -> None:
        """Read nothing yet; `TypeError` if the store could not tell `function` from others as it is now."""
        digests.check(function)
        self._store = store
        self._function = function
        self._prefix: tuple[str, ...] | None = None
        """What our keys begin with, once the function has been asked for; until then it may change."""
        self.hits = 0
        self.begin_afresh()

    def begin_afresh(self) -> None:
        """Hold no lock, as in a forked process."""
        self._lock = threading.RLock()

    def front(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        """Return what a Cache is called by; see `Memory.front`. A hit goes to the mapping."""
        self.hits = 0
        return answer

    def get(self, key: Key, default: Any, /) -> Any:
        """Return the answer from the mapping, at its cost."""
        with self._lock:
            return self._store.get(self._place_of(key), default)

    def __setitem__(self, key: Key, value: Any, /) -> None:
        with self._lock:
            self._store[self._place_of(key)] = value

    def update(self, answers: Iterable[tuple[Key, Any]]) -> None:
        """Put several answers into the mapping."""
        for key, value in answers:
            self[key] = value

    def knows_none_of(self, keys: dict[Key, Any]) -> bool:  # noqa: ARG002 -- a mapping tells no faster than one by one
        """Tell nothing, so that each call is looked up."""
        return False

    def _place_of(self, key: Key) -> tuple[Any, ...]:
        if self._prefix is None:
            self._prefix = self._find_prefix()
        return (*self._prefix, *key)

    def _find_prefix(self) -> tuple[str, ...]:
        has_name = hasattr(self._function, "__qualname__")
        named = self._function if has_name else type(self._function)
        name = f"{named.__module__}.{named.__qualname__}"
        return ("pyspeedup", name, digests.digest(self._function))

    def _own_keys(self) -> list[Any]:
        with self._lock:
            prefix = self._prefix or self._find_prefix()
            size = len(prefix)
            return [key for key in self._store if isinstance(key, tuple) and key[:size] == prefix]

    def __len__(self) -> int:
        return len(self._own_keys())

    def clear(self) -> None:
        """Forget this function's answers, in O(all that the mapping holds), and look at it anew."""
        with self._lock:
            for key in self._own_keys():
                del self._store[key]
            self._prefix = None


def make_memory(
    function: Callable[..., Any], maxsize: int | None, store: MutableMapping[Any, Any] | None
) -> Memory:
    """Return what a Cache of `function` remembers by; `TypeError` if a store cannot tell it from others.

    >>> type(make_memory(abs, 7, None)).__name__
    'Recent'
    """
    if store is not None:
        return Stored(store, function)
    return Everything() if maxsize is None else Recent(maxsize)
