"""A generator that runs ahead in a process of its own, and is read as a list."""

from __future__ import annotations

import functools
import inspect
import itertools
import operator
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, overload

from pyspeedup.concurrent import _shipping
from pyspeedup.concurrent._views import CachedValues, Refusal
from pyspeedup.concurrent.halting import resolve, uniformlyNonDecreasing
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from types import TracebackType

    from pyspeedup.concurrent._frames import Frame
    from pyspeedup.concurrent._producer import Job
    from pyspeedup.concurrent._supply import Supply
    from pyspeedup.core import HaltCondition

__all__ = ["Buffer", "buffer"]

T = TypeVar("T")
Generator: TypeAlias = Callable[[], Iterable[T]] | Iterable[T]
MOST_AT_ONCE = 4096
"""Cached values that an iterator copies at a time."""

INSIDE = (
    "item {{index}} of {name} is wanted inside its own generator, which has not produced it yet; "
    "there, {name} has only what it has produced so far"
)
AROUND = (
    "{name} cannot be used here: this process works for the one that produces it, and neither "
    "could go on without the other"
)


class Buffer(Sequence[T]):
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

    Costs about 3 ms for the process (50 to 150 ms under spawn and forkserver), some microseconds for
    a new value and a list's time and some 50 ns for a cached one. Several threads may share it. It
    ends its process when it is exhausted, closed or garbage collected, at the end of a ``with``
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

    _all: ClassVar[weakref.WeakSet[Buffer[Any]]] = weakref.WeakSet()
    _produced_here: ClassVar[dict[str, Buffer[Any]]] = {}
    """What this process produces, by identity and by origin."""
    _produced_around: ClassVar[frozenset[str]] = frozenset()
    """What the processes produce that this one descends from, likewise."""

    def __init__(
        self,
        generator: Generator[T],
        buffersize: int = 16,
        haltCondition: HaltCondition | str = uniformlyNonDecreasing,  # noqa: N803 -- the contract's name
        *,
        store: MutableSequence[T] | None = None,
    ) -> None:
        """Check the arguments; nothing is started."""
        _check_generator(generator)
        size = _checked_size(buffersize)
        self._lay_out(_shipping.register(self), [] if store is None else _checked_store(store))
        self._define(generator, size, resolve(haltCondition))

    def _lay_out(self, identity: str, values: MutableSequence[T]) -> None:
        self._identity = identity
        self._values = values
        self._arrived: tuple[int, list[T]] = (len(values), [])
        # (where it begins, values): they are cached when they are asked for, and not before, so
        # that what `in` answers does not depend on how far ahead the producer happens to be
        self._outcome: Callable[[], BaseException] | None = None
        self._ended = self._exhausted = self._closed = False
        self._supply: Supply | Refusal | None = None
        self._finalizer: weakref.finalize[..., Buffer[T]] | None = None
        self._lock = threading.RLock()
        self._all.add(self)

    def _define(self, generator: Generator[T], buffersize: int, halt: HaltCondition) -> None:
        self._generator = generator
        self._buffersize = buffersize
        self._halt = halt
        self._origin = _origin(generator) or self._identity
        self.__name__ = getattr(generator, "__name__", type(generator).__name__)
        if not isinstance(generator, Iterable):
            functools.update_wrapper(self, generator, updated=())  # type: ignore[arg-type]  # any callable will do

    # What is there already

    @property
    def cached(self) -> Sequence[T]:
        """The values asked for so far, as a read-only sequence that grows; O(1).

        >>> letters = Buffer("abc")
        >>> letters[1], list(letters.cached), letters.cached[-1]
        ('b', ['a', 'b'], 'b')
        >>> letters.close()
        """
        return CachedValues(self._values)

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
        return f"<Buffer {self.__name__}: {len(self._values)} cached, {state}>"

    def _need_end(self, lacks: str) -> None:
        if not self._exhausted:
            raise TypeError(f"Buffer {self.__name__} {lacks} before its end has been reached")

    # Reading

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        """Return a value or a list of values, waiting for those that have not come yet."""
        values = self._values
        if index.__class__ is int and 0 <= index < len(values):  # type: ignore[operator]  # mypy doesn't see that it is an int now
            return values[index]
        if isinstance(index, slice):
            return self._slice(index)
        return self._item(index)

    def _item(self, index: int) -> T:
        try:
            position = operator.index(index)
        except TypeError:
            kind = type(index).__name__
            raise TypeError(f"Buffer indices must be integers or slices, not {kind}") from None
        if position < 0:
            self._need_bound(f"index {position}")
            return self._values[position]
        if not self._reach(position):
            raise IndexError(f"index {position} is out of range: there are {len(self._values)}")
        return self._values[position]

    def _slice(self, index: slice) -> list[T]:
        if not self._exhausted:
            last = self._last_of(index)
            if last >= 0:
                self._reach(last)
        return list(self._values[index])

    def _last_of(self, index: slice) -> int:
        """Return the highest position that a slice needs, -1 if it needs none."""
        bounds = [None if n is None else operator.index(n) for n in (index.start, index.stop)]
        step = 1 if index.step is None else operator.index(index.step)
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
        return itertools.chain.from_iterable(self._blocks())

    def __call__(self) -> Iterator[T]:
        """Begin anew as the generator function would, from cached values, in O(1)."""
        return iter(self)

    def _blocks(self) -> Iterator[Sequence[T]]:
        position = 0
        while self._reach(position):
            block = self._values[position : position + MOST_AT_ONCE]
            yield block
            position += len(block)

    def __reversed__(self) -> Iterator[T]:
        """Iterate from the last value back; `TypeError` until the end has been reached."""
        self._need_end("cannot be reversed")
        return reversed(self._values)

    def __contains__(self, item: object) -> bool:
        """Look for `item` until it is found, the sequence ends or the halt condition stops."""
        seen = len(self._values)
        return item in self._values or self._search(item, seen, None) is not None

    def index(self, value: Any, start: int = 0, stop: int | None = None) -> int:
        """Return the first position of `value`, searched for as `in` does; `ValueError` if none.

        `start` and `stop` bound the search as a list's do. Costs a comparison a value.

        >>> Buffer("hello").index("l")
        2
        """
        bounds = slice(start, stop)
        if self._exhausted:
            start, stop, _ = bounds.indices(len(self._values))
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
        attempts = 0
        while stop is None or position < stop:
            if position >= len(self._values):
                if self._exhausted or self._gives_up(item, attempts) or not self._reach(position):
                    return None
                attempts += position > 0
            value = self._values[position]
            if value is item or value == item:
                return position
            position += 1
        return None

    def _gives_up(self, item: object, attempts: int) -> bool:
        return len(self._values) > 0 and bool(self._halt(self, item, attempts))

    # Getting more

    def _reach(self, position: int) -> bool:
        """Have the value at `position` cached, waiting if need be; False if there is none."""
        while len(self._values) <= position:
            if self._exhausted:
                return False
            if self._reveal(position):
                continue
            if self._closed:
                raise ValueError(
                    f"Buffer {self.__name__} is closed; what it has cached is readable"
                )
            if self._ended:
                return self._at_end()
            supply = self._supply or self._start()
            supply.advance(len(self._values), self._has_news, self._accept)
        return True

    def _reveal(self, position: int) -> bool:
        """Move values that have arrived, up to `position`, to those cached; False if none has."""
        with self._lock:
            before = len(self._values)
            base, arrived = self._arrived
            new = arrived[before - base : position + 1 - base] if not self._closed else []
            if not new:
                return False
            self._values.extend(new)
            supply = self._supply
            if supply is not None and before - supply.asked > self._buffersize // 4:
                supply.ask(before)
            return True

    def _has_news(self) -> bool:
        base, arrived = self._arrived
        return base + len(arrived) > len(self._values) or self._ended or self._closed

    def _at_end(self) -> bool:
        if self._outcome is not None:
            raise self._outcome()
        self._exhausted = True
        self._arrived = (len(self._values), [])
        return False

    def _accept(self, frame: Frame | None) -> None:
        """Take a message of the producer in; None says that it is dead."""
        from pyspeedup.concurrent import _frames, _remote_error

        if self._ended or self._closed:
            return
        if frame is None:
            self._end_with(self._death())
        elif frame.kind == _frames.END:
            self._end_with(None)
        elif frame.kind == _frames.ERROR:
            self._end_with(functools.partial(_remote_error.unbox, frame.payload))
        else:
            self._accept_items(frame)

    def _accept_items(self, frame: Frame) -> None:
        from pyspeedup.concurrent import _frames

        with self._lock:
            base, arrived = self._arrived
            end = base + len(arrived)
            new, failure = _frames.decode(frame, end - frame.index)
            if end == len(self._values):
                self._arrived = (end, new)
            else:
                arrived.extend(new)
        if failure is not None:
            self._end_with(functools.partial(_unreadable, self.__name__, end + len(new), failure))

    def _end_with(self, outcome: Callable[[], BaseException] | None) -> None:
        self._outcome = outcome
        self._ended = True
        if self._supply is not None:
            self._supply.end()

    def _death(self) -> Callable[[], BaseException]:
        supply = self._supply
        exitcode = supply.end() if supply is not None else None
        pid = getattr(supply, "pid", None)
        how = f"was killed by signal {-exitcode}" if (exitcode or 0) < 0 else f"exited ({exitcode})"
        base, arrived = self._arrived
        message = (
            f"the producer of Buffer {self.__name__} (process {pid}) {how} after "
            f"{base + len(arrived)} values"
        )
        return functools.partial(WorkerError, message, pid, exitcode)

    # The process

    def _start(self) -> Supply | Refusal:
        with self._lock:
            if self._supply is None:
                self._supply = self._refusal() or self._started()
            return self._supply

    def _refusal(self) -> Refusal | None:
        """Return what stands for a supply where this Buffer is being produced already."""
        same = self._produced_here.get(self._identity) or self._produced_here.get(self._origin)
        if same is not None:
            self._values = same._values
            return Refusal(INSIDE.format(name=self.__name__))
        if {self._identity, self._origin} & self._produced_around:
            return Refusal(AROUND.format(name=self.__name__))
        return None

    def _started(self) -> Supply:
        from pyspeedup.concurrent._supply import Supply  # heavy, and not needed by an import

        supply = Supply(self._job())
        self._finalizer = weakref.finalize(self, supply.end)
        self._finalizer.atexit = False  # all children are ended then, at once
        return supply

    def _job(self) -> Job:
        from pyspeedup.concurrent._producer import Job

        name = self.__name__
        generator = _shipping.dumps(self._generator, f"Buffer {name}", known=(self._identity,))
        own = {self._identity, self._origin}
        return Job(
            kind=type(self),
            identity=self._identity,
            name=name,
            generator=generator,
            buffersize=self._buffersize,
            skip=len(self._values),
            origins=self._produced_around.union(self._produced_here),
            own=frozenset(own),
            # its name occurs in it, or in what it imports
            keeps=self._identity.encode() in generator or self._origin != self._identity,
        )

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

    def _after_fork(self) -> None:
        """In a forked child: leave the producer and what it sends to the parent."""
        self._lock = threading.RLock()
        if self._finalizer is not None:
            self._finalizer.detach()
        if isinstance(self._supply, Refusal):
            self._values = []
            self._supply = Refusal(AROUND.format(name=self.__name__))
        elif self._supply is not None:
            self._supply.abandon()
            self._supply = None
        self._arrived = (len(self._values), [])
        self._ended, self._outcome = self._exhausted, None

    # Travelling, see _shipping

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _shipping.reference(type(self), self._identity, self._definition)

    def _definition(self) -> tuple[Generator[T], int, HaltCondition] | str:
        if isinstance(self._supply, Refusal):
            return self.__name__
        return self._generator, self._buffersize, self._halt

    @classmethod
    def _shell(cls, identity: str) -> Buffer[T]:
        shell = cls.__new__(cls)
        shell._lay_out(identity, [])
        return shell

    @classmethod
    def _fill(cls, shell: Buffer[T], definition: Any) -> None:
        if isinstance(definition, str):
            shell._define((), 1, uniformlyNonDecreasing)
            shell.__name__ = definition
            shell._supply = Refusal(AROUND.format(name=definition))
        else:
            shell._define(*definition)

    @classmethod
    def _inside(cls, job: Job, produced: list[Any]) -> None:
        """Become, in the producer, a view on what it has produced."""
        inside = _shipping.meaning_of(job.identity)  # there already, if we were forked
        if inside is None:
            inside = cls._shell(job.identity)
            inside._define((), 1, uniformlyNonDecreasing)
            inside.__name__ = job.name
        inside._values, inside._arrived = produced, (0, [])
        inside._ended = inside._exhausted = False
        inside._supply = Refusal(INSIDE.format(name=job.name))
        _shipping.set_meaning(job.identity, inside)
        Buffer._produced_here = dict.fromkeys(job.own, inside)
        Buffer._produced_around = job.origins

    def __copy__(self) -> Buffer[T]:
        """Be the same: there is one sequence, and one producer."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Buffer[T]:
        """Be the same, as above."""
        return self


@overload
def buffer(buffersize: Callable[[], Iterable[T]]) -> Buffer[T]: ...
@overload
def buffer(
    buffersize: int = 16,
    haltCondition: HaltCondition | str = ...,
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
        return Buffer(buffersize)
    size = _checked_size(buffersize)
    return lambda generator: Buffer(generator, size, haltCondition, store=store)


def _checked_size(buffersize: int) -> int:
    try:
        size = operator.index(buffersize)
    except TypeError:
        raise TypeError(f"buffersize must be a whole number, not {buffersize!r}") from None
    if size < 1:
        raise ValueError(f"buffersize must be 1 or more, not {buffersize!r}")
    return size


def _checked_store(store: MutableSequence[T]) -> MutableSequence[T]:
    if not isinstance(store, MutableSequence):
        raise TypeError(f"store must be a MutableSequence, as a list is, not {store!r}")
    try:
        store[0:0]
    except TypeError:
        raise TypeError(f"store must have slices, which {type(store).__name__} has not") from None
    return store


def _check_generator(generator: Any) -> None:
    if inspect.isgenerator(generator):
        raise TypeError(
            f"generator must be a generator function, not the running {generator!r}, which cannot "
            "be sent to another process; leave out the parentheses"
        )
    if inspect.isasyncgenfunction(generator) or inspect.iscoroutinefunction(generator):
        raise TypeError(f"generator must not be asynchronous, as {generator!r} is")
    if isinstance(generator, Iterable):
        return
    if not callable(generator):
        raise TypeError(f"generator must be a generator function or an iterable, not {generator!r}")
    _check_takes_no_arguments(generator)


def _check_takes_no_arguments(generator: Callable[..., Any]) -> None:
    try:
        signature = inspect.signature(generator)
    except ValueError:  # some builtins do not tell
        return
    try:
        signature.bind()
    except TypeError as error:
        raise TypeError(
            f"generator must be callable without arguments, not {generator!r} ({error}); "
            "functools.partial or a lambda can supply them"
        ) from None


def _origin(generator: Any) -> str | None:
    """Return where an importable module defines `generator`; None for what is found nowhere else.

    A module that is imported again, in a child, makes its Buffers again, under new identities.
    """
    module = getattr(generator, "__module__", None)
    name = getattr(generator, "__qualname__", None)
    if not inspect.isfunction(generator) or module in {None, "__main__"} or "<" in str(name):
        return None
    return f"{module}:{name}"


def _unreadable(name: str, position: int, failure: Exception) -> BaseException:
    error = TypeError(f"item {position} of Buffer {name} arrived and cannot be read: {failure}")
    error.__cause__ = failure
    return error


def _after_fork() -> None:
    Buffer._produced_around = Buffer._produced_around.union(Buffer._produced_here)  # noqa: SLF001 -- the class's own hook
    Buffer._produced_here = {}  # noqa: SLF001 -- likewise
    for each in list(Buffer._all):  # noqa: SLF001 -- likewise
        each._after_fork()  # noqa: SLF001 -- likewise


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
