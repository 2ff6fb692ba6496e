"""How functions, arguments and results travel: by value, memoized functions as what they mean there.

A `Cache` that something refers to arrives as the memoized form of its function (see `_homes`), and so
does the one whose function it is. Functions that refer to each other travel together.
"""

from __future__ import annotations

import io
import pickle
import threading
from typing import TYPE_CHECKING, Any

import cloudpickle

from pyspeedup.concurrent import Cache
from pyspeedup.concurrent._caching.local import LocalMethod
from pyspeedup.concurrent._processes import shipping
from pyspeedup.dask._homes import FIRST_GENERATION, Generation, Home, find_home
from pyspeedup.dask._identity import digest_of_function

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.binding import Binding

__all__ = ["Memoized", "dumps", "loads"]

PROTOCOL = 5


class Memoized:
    """Stands for a function that is to arrive as its memoized form, where no `Cache` holds it."""

    def __init__(self, function: Callable[..., Any], name: str, *, binding: Binding) -> None:
        """Hold what is needed."""
        self.__wrapped__ = function
        self.__name__ = name
        self.binding = binding


class _Loading(threading.local):
    """For which engine this thread unpickles, and what has come so far."""

    def __init__(self) -> None:
        self.token = ""
        self.arrived: list[tuple[Home, Any, Generation]] = []


_loading = _Loading()


def dumps(
    obj: Any,
    what: str,
    generation_of: Callable[[str], Generation] = lambda _digest: FIRST_GENERATION,
) -> bytes:
    """Return `obj` as bytes; `TypeError` naming `what`, and the culprit, if it cannot travel.

    >>> loads(dumps(lambda n: n + 1, "a function"))(41)
    42
    """
    file = io.BytesIO()
    try:
        _Pickler(file, generation_of).dump(obj)
    except Exception as error:
        shipping.dumps(getattr(obj, "__wrapped__", obj), what)  # finds out which part is to blame
        raise TypeError(f"{what} cannot be sent to a cluster: {error}") from error
    return file.getvalue()


def loads(data: bytes, token: str = "") -> Any:
    """Return what `data` was made from, memoized functions at home in the engine that `token` names.

    Raises what pickle raises.
    """
    outer = _loading.token, _loading.arrived
    _loading.token = token
    arrived = _loading.arrived = []
    try:
        loaded = pickle.loads(data)
    finally:
        _loading.token, _loading.arrived = outer
    for home, function, generation in arrived:  # each is complete by now
        home.fill(function, generation)
    return loaded


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    def __init__(self, file: io.BytesIO, generation_of: Callable[[str], Generation]) -> None:
        super().__init__(file, PROTOCOL)
        self._generation_of = generation_of

    def reducer_override(self, obj: Any) -> Any:
        home = getattr(getattr(obj, "local", obj), "pyspeedup_home", None)
        if isinstance(home, Home):
            return self._reduce(home.function, home.name, home.digest, binding=home.binding)
        if isinstance(obj, Cache | Memoized):
            if isinstance(obj, Cache):
                obj.batch_async()  # has its engine know it, and so be told when it is to forget
            function = obj.__wrapped__
            digest = digest_of_function(function)
            return self._reduce(function, obj.__name__, digest, binding=obj.binding)
        return super().reducer_override(obj)

    def _reduce(
        self, function: Any, name: str, digest: str, *, binding: Binding
    ) -> tuple[Any, ...]:
        # The function comes second, as the state, for it may refer to its own memoized form.
        state = (function, self._generation_of(digest))
        return _begin_meaning, (digest, name, binding), state, None, None, _fill_meaning


def _begin_meaning(digest: str, name: str, binding: Binding) -> Any:
    return find_home(_loading.token, digest, name, binding=binding).meaning


def _fill_meaning(meaning: Any, state: tuple[Any, Generation]) -> None:
    function, generation = state
    local = meaning.local if isinstance(meaning, LocalMethod) else meaning
    _loading.arrived.append((local.pyspeedup_home, function, generation))
