"""A method that is a `Cache`, bound to its instance.

>>> from pyspeedup.concurrent import Cache
>>> class Tower:
...     def __init__(self, base):
...         self.base = base
...     @Cache
...     def height(self, n):
...         return self.base if n == 0 else self.height(n - 1) + 1
>>> Tower(10).height(5)
15
"""

from __future__ import annotations

import functools
import itertools
import types
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching.calls import as_call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from concurrent.futures import Future

__all__ = ["BoundCache"]


class BoundCache(functools.partial[Any]):
    # A partial, for that is a call with a first argument that takes not one step of Python. The
    # docstring is the method's, see below.

    @property
    def __doc__(self) -> str | None:  # type: ignore[override]  # as a method has that of its function
        """The method's own."""
        doc: str | None = self.func.__doc__
        return doc

    @property
    def __func__(self) -> Any:
        """The Cache."""
        return self.func

    @property
    def __self__(self) -> Any:
        """The instance."""
        return self.args[0]

    @property
    def __wrapped__(self) -> Any:
        """The method itself, bound."""
        return types.MethodType(self.func.__wrapped__, self.args[0])  # type: ignore[attr-defined]  # a Cache has it

    def __getattr__(self, name: str) -> Any:
        """Return what the Cache has of this name: the method's attributes, and `cache_info` and its like."""
        return getattr(self.func, name)

    def apply_async(self, /, *args: Any, **kwargs: Any) -> None:
        """Begin a call elsewhere; see `Cache.apply_async`."""
        self.__func__.apply_async(*self.args, *args, **kwargs)

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Begin several calls elsewhere; see `Cache.batch_async`."""
        name = self.__func__.__qualname__
        self.__func__.batch_async(*((*self.args, *as_call(call, name)) for call in calls))

    def submit(self, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begin a call elsewhere and return a future of it; see `Cache.submit`."""
        future: Future[Any] = self.__func__.submit(*self.args, *args, **kwargs)
        return future

    def map(self, *iterables: Iterable[Any], **options: Any) -> Iterator[Any]:
        """Begin a call for each item; see `Cache.map`."""
        instances = (itertools.repeat(self.args[0]),) if iterables else ()
        results: Iterator[Any] = self.__func__.map(*instances, *iterables, **options)
        return results

    def __repr__(self) -> str:
        return f"<bound {self.func!r} of {self.args[0]!r}>"
