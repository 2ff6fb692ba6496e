"""A generator that runs ahead in a process of its own, and is read as a list."""

from __future__ import annotations

import itertools
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

from pyspeedup.concurrent._arguments import (
    Generator,
    check_generator,
    checked_bound,
    checked_size,
    checked_store,
)
from pyspeedup.concurrent._buffering.growing import Growing
from pyspeedup.concurrent._buffering.views import CachedValues
from pyspeedup.concurrent._processes import shipping
from pyspeedup.concurrent.halting import resolve, uniformlyNonDecreasing

if TYPE_CHECKING:
    from types import TracebackType

    from pyspeedup.core import HaltCondition

__all__ = ["Buffer", "buffer"]

T = TypeVar("T")


class Buffer(Growing[T], Sequence[T]):
    """The values of a generator that runs ahead in another process, as a list that grows.

    `generator` is a generator function (anything that returns an iterable when called without
    arguments) or an iterable; it runs in a process of its own, which is started when a first value
    is needed and never computes more than `buffersize` values beyond the highest index asked for.
    Values are cached: each is computed once, whoever asks.

    `haltCondition`, a callable or the name of a registered one, says when ``item in buffer`` stops
    looking, see `pyspeedup.concurrent.halting`; the default is right for values that never
    decrease. `store`, any `MutableSequence` with slices, keeps the values in place of a list; what
    it holds already is taken for the first values, and the generator is run silently up to there.

    - Non-negative indexes and slices bounded by such wait for the values that they need. A negative
      index and an open slice need the end, and raise `IndexError` until an iteration or an index
      has run into it; `len` raises `TypeError` until then. After that all is as for a list.
    - Iterating, or calling the Buffer as the generator function, begins at the first value.
    - ``item in buffer`` and `index` compare with what is cached, then ask the halt condition, take
      one new value, compare, and ask again.
    - An exception in the generator is raised when the place is reached where it occurred, each
      time, with the producer's traceback as its cause; what came before stays readable. A producer
      that is killed raises `WorkerError` with its pid and exit code in the same way.
    - In the generator itself its own name means what it has produced so far, and asking for more
      raises `RuntimeError`.

    Raises `TypeError` for a generator that is already running or takes arguments, or for a
    `buffersize` that is no whole number, and `ValueError` for one less than 1. That something the
    generator refers to cannot be sent to another process is a `TypeError` at the first need.

    A value is what it was when it was yielded, though the generator may use the same object again,
    and owns its memory. At most 256 MiB are on their way at a time, whatever `buffersize` allows.

    Costs about 3 ms for the process (50 to 150 ms under spawn and forkserver), 0.1 to 1 us for a new
    number or small dict that comes in time and 50 to 100 us where it has to be waited for, and a
    list's time and some 25 ns for a cached one. Several threads may share it. It ends its process when it is exhausted, closed or garbage collected, at the end of a ``with``
    block, and with the program however that ends.

    >>> def count():
    ...     i = 0
    ...     while True:
    ...         yield i
    ...         i += 1
    >>> with Buffer(count, 4) as numbers:
    ...     numbers[15], numbers[2:5], 7 in numbers, len(numbers.cached)
    (15, [2, 3, 4], True, 16)
    """

    def __init__(
        self,
        generator: Generator[T],
        buffersize: int = 16,
        haltCondition: HaltCondition | str = uniformlyNonDecreasing,  # noqa: N803 -- the contract's name
        *,
        store: MutableSequence[T] | None = None,
    ) -> None:
        """Check the arguments; nothing is started."""
        check_generator(generator)
        size = checked_size(buffersize)
        self._lay_out(shipping.register(self), None if store is None else checked_store(store))
        self._define(generator, size, resolve(haltCondition))

    @property
    def cached(self) -> Sequence[T]:
        """The values asked for so far, as a read-only sequence that grows; O(1).

        >>> letters = Buffer("abc")
        >>> letters[1], list(letters.cached), letters.cached[-1]
        ('b', ['a', 'b'], 'b')
        >>> letters.close()
        """
        return CachedValues(self._known)

    @property
    def _cache(self) -> Sequence[T]:
        """The name by which halt conditions of old read what `cached` holds."""
        return self.cached

    @property
    def exhausted(self) -> bool:
        """Whether the end has been reached, so that indexes, slices and `len` are a list's; O(1).

        >>> letters = Buffer("abc")
        >>> letters.exhausted, list(letters), letters.exhausted
        (False, ['a', 'b', 'c'], True)
        """
        return self._exhausted

    def __len__(self) -> int:
        self._need_end("has no len()")
        return len(self._values)

    def __bool__(self) -> bool:
        """Tell whether there is a value at all, waiting for the first."""
        return self._reach(0)

    def __repr__(self) -> str:
        state = "exhausted" if self._exhausted else "closed" if self._closed else "more to come"
        return f"<Buffer {self.__name__}: {len(self._known())} cached, {state}>"

    def _need_end(self, lacks: str) -> None:
        if not self._exhausted:
            raise TypeError(f"Buffer {self.__name__} {lacks} before its end has been reached")

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """Return a value or a list of values, waiting for those that have not come yet."""
        try:  # what is cached already costs a list's time and little more; all else is looked at with care
            if index >= 0:  # type: ignore[operator]  # a slice isn't comparable, and goes on below
                return self._values[index]  # type: ignore[return-value]  # it isn't a slice
        except (IndexError, TypeError, ValueError):
            pass
        return self._slice(index) if isinstance(index, slice) else self._item(index)

    def _item(self, index: int) -> T:
        try:
            position = operator.index(index)
        except TypeError:
            kind = type(index).__name__
            raise TypeError(f"Buffer indices must be integers or slices, not {kind}") from None
        if position < 0:
            self._need_bound(f"index {position}")
            found = position >= -len(self._values)
        else:
            found = position < sys.maxsize and self._reach(position)
        if not found:
            raise IndexError(f"index {position} is out of range: there are {len(self._values)}")
        return self._values[position]

    def _slice(self, index: slice) -> list[T]:
        index = _checked_slice(index)
        if not self._exhausted:
            last = self._last_of(index)
            if last >= 0:
                self._reach(last)
        return list(self._values[index])

    def _last_of(self, index: slice) -> int:
        """Return the highest position that a slice needs, -1 if it needs none."""
        bounds = (index.start, index.stop)
        step = 1 if index.step is None else index.step
        if step == 0:
            return -1  # which is for the list to refuse
        far = bounds[1] if step > 0 else bounds[0]
        if far is None or any(bound is not None and bound < 0 for bound in bounds):
            self._need_bound(f"the slice {index.start}:{index.stop}")
            return -1
        needed = range(far + 1)[index] if step < 0 else range(*index.indices(far))
        return max(needed[0], needed[-1]) if needed else -1

    def _need_bound(self, what: str) -> None:
        if not self._exhausted:
            raise IndexError(
                f"{what} of Buffer {self.__name__} counts from its end, which has not been reached; "
                "until then indexes are 0 or more, and slices are bounded by such"
            )

    def __iter__(self) -> Iterator[T]:
        """Iterate from the first value on; cached values come at a list's speed."""
        if self._exhausted and self._lends:
            return iter(self._values)
        return itertools.chain.from_iterable(self._blocks())

    def __call__(self) -> Iterator[T]:
        """Begin anew as the generator function would, from cached values, in O(1)."""
        return iter(self)

    def __reversed__(self) -> Iterator[T]:
        """Iterate from the last value back; `TypeError` until the end has been reached."""
        self._need_end("cannot be reversed")
        return reversed(self._values)

    def __contains__(self, item: object) -> bool:
        """Look for `item` until it is found, the sequence ends or the halt condition stops.

        After that it is looked for in what is cached by then.
        """
        seen = len(self._known())
        return item in self._values or self._search(item, seen, None) is not None

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the first position of `value`, searched for as `in` does; `ValueError` if none.

        `start` and `stop` bound the search as a list's do. Costs a comparison a value.

        >>> Buffer("hello").index("l")
        2
        """
        start = checked_bound(start, "start")
        stop = None if stop is None else checked_bound(stop, "stop")
        if self._exhausted:
            start, stop, _ = slice(start, stop).indices(len(self._values))
        elif start < 0 or (stop is not None and stop < 0):
            self._need_bound(f"the range {start}:{stop}")
        found = self._search(value, start, stop)
        if found is None:
            raise ValueError(f"{value!r} is not in Buffer {self.__name__}")
        return found

    def count(self, value: Any) -> int:
        """Return how many values equal `value`, in O(n); `TypeError` until the end was reached.

        >>> letters = Buffer("hello")
        >>> list(letters) and letters.count("l")
        2
        """
        self._need_end("cannot count")
        return self._values.count(value)

    def _search(self, item: object, position: int, stop: int | None) -> int | None:
        questions = 0
        while stop is None or position < stop:
            if position >= len(self._values) and position >= len(self._known()):
                may_ask = len(self._values) > 0  # a condition is never asked about nothing
                if self._exhausted or (may_ask and self._halt(self, item, questions)):
                    known = len(self._known())  # more than before, if the condition has read on
                    stop = known if stop is None else min(stop, known)
                    continue
                if not self._reach(position):
                    return None
                questions += may_ask
            value = self._values[position]
            if value is item or value == item:
                return position
            position += 1
        return None

    def close(self) -> None:
        """End the producer; again is harmless. What is cached stays readable.

        Anything that needs more raises `ValueError` from now on. A generator that waits to be asked
        runs its ``finally`` blocks; one that computes has 0.2 s to come to that point.

        >>> letters = Buffer("abc")
        >>> letters[0], letters.close(), letters[0]
        ('a', None, 'a')
        >>> letters[1]
        Traceback (most recent call last):
        ValueError: Buffer str is closed; what it has cached is readable
        """
        with self._lock:
            self._call_in()
            self._closed = True
        if self._supply is not None:
            self._supply.end()

    def __enter__(self) -> Buffer[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close, and pass an exception on."""
        self.close()

    def __copy__(self) -> Buffer[T]:
        """Be the same: there is one sequence, and one producer."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer[T]:
        """Be the same, as above."""
        return self


def _checked_slice(index: slice) -> slice:
    named = {"start": index.start, "stop": index.stop, "step": index.step}
    return slice(
        *(
            None if bound is None else checked_bound(bound, f"the {name} of a slice")
            for name, bound in named.items()
        )
    )


@overload
def buffer(
    buffersize: Callable[[], Iterable[T]],
    haltCondition: HaltCondition | str = ...,  # noqa: N803 -- the contract's name
    *,
    store: MutableSequence[Any] | None = None,
) -> Buffer[T]: ...
@overload
def buffer(
    buffersize: int = 16,
    haltCondition: HaltCondition | str = ...,  # noqa: N803 -- the contract's name
    *,
    store: MutableSequence[Any] | None = None,
) -> Callable[[Callable[[], Iterable[T]]], Buffer[T]]: ...
def buffer(
    buffersize: int | Callable[[], Iterable[T]] = 16,
    haltCondition: HaltCondition | str = uniformlyNonDecreasing,  # noqa: N803 -- the contract's name
    *,
    store: MutableSequence[Any] | None = None,
) -> Buffer[T] | Callable[[Callable[[], Iterable[T]]], Buffer[T]]:
    """Make a generator function a `Buffer`; a decorator, with arguments or without.

    The arguments are those of `Buffer`, and so are the errors.

    >>> @buffer(4)
    ... def count():
    ...     i = 0
    ...     while True:
    ...         yield i
    ...         i += 1
    >>> count[15]
    15
    >>> count.close()
    """
    if callable(buffersize):
        return Buffer(buffersize, haltCondition=haltCondition, store=store)
    size = checked_size(buffersize)
    return lambda generator: Buffer(generator, size, haltCondition, store=store)
