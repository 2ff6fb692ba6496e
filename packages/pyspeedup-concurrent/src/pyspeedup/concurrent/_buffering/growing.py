"""How there come to be more values in a Buffer: what has arrived, what is awaited, how it ended."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, MutableSequence
from time import perf_counter
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pyspeedup.concurrent._arguments import Generator, origin_of
from pyspeedup.concurrent._buffering import items, ring
from pyspeedup.concurrent._buffering.loans import Loan
from pyspeedup.concurrent._buffering.views import Refusal
from pyspeedup.concurrent._processes import shipping
from pyspeedup.concurrent.halting import uniformlyNonDecreasing
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from typing import Self

    from pyspeedup.concurrent._buffering.producer import Job
    from pyspeedup.concurrent._buffering.supply import Supply
    from pyspeedup.core import HaltCondition

__all__ = ["Growing"]

T = TypeVar("T")

MOST_AT_ONCE = 4096
"""Values that an iterator is given at a time."""
SHORT = 100e-6
"""Seconds that it may take over those that are not cached yet."""
FEW = 2
"""An iterator that takes more at a time is fast: to wake its producer costs more than it gains, until it waits."""

INSIDE = (
    "item {{index}} of {name} is wanted inside its own generator, which has not produced it yet; "
    "there, {name} has only what it has produced so far"
)
AROUND = (
    "{name} cannot be used here: this process works for the one that produces it, and neither "
    "could go on without the other"
)


class Growing(Generic[T]):
    """The half of a `Buffer` that deals with its producer.

    Values that have arrived are cached when they are asked for, and not before: what a Buffer
    answers depends on what it was asked, never on how far ahead its producer happens to be.
    """

    _all: ClassVar[weakref.WeakSet[Growing[Any]]] = weakref.WeakSet()
    _produced_here: ClassVar[dict[str, Growing[Any]]] = {}
    """What this process produces, by identity and by origin."""
    _produced_around: ClassVar[frozenset[str]] = frozenset()
    """What the processes produce that this one descends from, likewise."""

    __name__: str

    def _lay_out(self, identity: str, store: MutableSequence[T] | None) -> None:
        self._identity = identity
        self._values: MutableSequence[T] = [] if store is None else store
        self._lends = (
            store is None
        )  # others look into a store: it holds what was asked for at any time
        self._arrived: tuple[int, list[T]] = (len(self._values), [])
        """Where the values begin that have come from the producer last, and these values."""
        self._loans: list[Loan[T]] = []
        """Arrived values that iterators have, and have not gone through yet."""
        self._outcome: Callable[[], BaseException] | None = None
        self._ended = self._exhausted = self._closed = False
        self._supply: Supply | Refusal | None = None
        self._finalizer: weakref.finalize[..., Growing[T]] | None = None
        self._lock = threading.RLock()
        self._all.add(self)

    def _define(self, generator: Generator[T], buffersize: int, halt: HaltCondition) -> None:
        self._generator = generator
        self._buffersize = buffersize
        self._halt = halt
        self._origin = origin_of(generator) or self._identity
        self.__name__ = getattr(generator, "__name__", type(generator).__name__)
        if not isinstance(generator, Iterable):
            functools.update_wrapper(self, generator, updated=())  # type: ignore[arg-type]  # mypy takes self for a callable's wrapper only if it is one
        self._supply = self._refusal()

    # Getting more

    def _reach(self, position: int) -> bool:
        """Have the value at `position` cached, waiting if need be; False if there is none."""
        while len(self._values) <= position:
            if not self._come(len(self._values), position):
                return len(self._values) > position  # another thread may have been faster
            self._reveal(position)
        return True

    def _come(self, position: int, asked: int) -> bool:
        """Wait until the value at `position` has come, `asked` being asked for; False if there is none."""
        while True:
            ended = self._ended  # before looking: all that there is has arrived before it ended
            if len(self._values) > position:
                return True
            if self._exhausted:
                return False
            if self._closed:
                raise ValueError(
                    f"Buffer {self.__name__} is closed; what it has cached is readable"
                )
            if self._has_come(position):
                return True
            if ended:
                self._reach_end()
                return False
            if self._supply is None:
                self._start()
                continue
            self._supply.ask(asked + 1)
            self._supply.advance(functools.partial(self._has_news, position), self._accept)

    def _has_come(self, position: int) -> bool:
        base, arrived = self._arrived
        return base + len(arrived) > position

    def _has_news(self, position: int) -> bool:
        return (
            self._has_come(position) or len(self._values) > position or self._ended or self._closed
        )

    def _reveal(self, position: int) -> None:
        """Cache values that have arrived, up to `position`."""
        with self._lock:
            self._settle()
            before = len(self._values)
            base, arrived = self._arrived
            if not self._closed and before <= position:
                self._values.extend(arrived[before - base : position + 1 - base])
                if self._supply is not None:
                    self._supply.ask(position + 1)

    def _reach_end(self) -> None:
        if self._outcome is not None:
            raise self._outcome()
        self._exhausted = True
        self._arrived = (len(self._values), [])

    # Iterating

    def _blocks(self) -> Iterator[Iterable[T]]:
        """Yield what an iterator is to go through next, as long as there is anything."""
        position = 0
        most = 1
        while True:
            if position < len(self._values):
                block = self._values[position : position + MOST_AT_ONCE]
                yield block
                position += len(block)
            elif not self._lends:
                if not self._reach(position):
                    return
            else:
                loan = self._lend(position, most)
                if loan is None:
                    return
                began = perf_counter()
                try:
                    yield loan.iterator
                finally:
                    position = self._take_back(loan)
                most = self._next_most(most, perf_counter() - began)

    def _next_most(self, most: int, took: float) -> int:
        """Choose how much to lend, by how long the last loan took: the producer hears of it afterwards."""
        return max(
            1, min(2 * most, self._buffersize // 2, MOST_AT_ONCE) if took < SHORT else most // 2
        )

    def _lend(self, position: int, most: int) -> Loan[T] | None:
        """Lend up to `most` values from `position` on to an iterator, waiting; None if there are none.

        What is lent is cached as far as the iterator has gone, which `_settle` finds out.
        """
        if not self._come(position, position):
            return None
        with self._lock:
            self._settle()
            base, arrived = self._arrived
            start = len(self._values)
            block = arrived[position - base : position - base + most] if start == position else []
            loan = Loan(position, block)
            if block and not self._closed:
                self._loans.append(loan)
                if self._supply is not None:
                    self._supply.ask(position + 1, urgent=most <= FEW)
            return loan

    def _take_back(self, loan: Loan[T]) -> int:
        """Cache what a loan's iterator has gone through, and return where it stands."""
        with self._lock:
            self._settle()
            if loan in self._loans:
                self._loans.remove(loan)
            return loan.reached()

    def _settle(self) -> None:
        """Cache all that iterators have gone through; the lock is held."""
        for loan in self._loans:
            known = len(self._values)
            if loan.reached() > known:
                self._values.extend(loan.block[known - loan.start : loan.reached() - loan.start])

    def _known(self) -> MutableSequence[T]:
        """Return the values asked for so far, by iterators too."""
        if self._loans:
            with self._lock:
                self._settle()
        return self._values

    def _call_in(self) -> None:
        """Have iterators go no further with what they were lent; the lock is held."""
        self._settle()
        for loan in self._loans:
            del loan.block[loan.reached() - loan.start :]

    # What the producer says

    def _accept(self, kind: int, start: int, count: int, payload: memoryview) -> None:
        """Take a frame of the producer in."""
        if self._ended or self._closed:
            return
        if kind in items.KINDS:
            self._accept_items(kind, start, count, payload)
        elif kind == ring.END:
            self._end_with(None)
        elif kind == ring.ERROR:
            from pyspeedup.concurrent._processes import remote_error

            self._end_with(functools.partial(remote_error.unbox, bytes(payload)))
        else:
            self._end_with(self._death())

    def _accept_items(self, kind: int, start: int, count: int, payload: memoryview) -> None:
        with self._lock:
            base, arrived = self._arrived
            end = base + len(arrived)
            new, failure = items.decode(kind, count, payload, end - start)
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
            self._supply.end(reading=True)

    def _death(self) -> Callable[[], BaseException]:
        supply = self._supply
        exitcode = supply.end(reading=True) if supply is not None else None
        signalled = exitcode is not None and exitcode < 0
        how = f"was killed by signal {-(exitcode or 0)}" if signalled else f"exited with {exitcode}"
        pid = getattr(supply, "pid", None)
        base, arrived = self._arrived
        message = (
            f"the producer of Buffer {self.__name__} (process {pid}) {how} after "
            f"{base + len(arrived)} values"
        )
        return functools.partial(WorkerError, message, pid, exitcode)

    # The producer

    def _start(self) -> None:
        with self._lock:
            if self._supply is None:
                self._supply = self._refusal() or self._started()

    def _refusal(self) -> Refusal | None:
        """Return what stands for a supply where this Buffer is being produced already."""
        names = (self._identity, self._origin)
        same = self._produced_here.get(self._identity, self._produced_here.get(self._origin))
        if same is not None:
            self._values = same._values  # noqa: SLF001 -- it is this Buffer, under another identity
            return Refusal(INSIDE.format(name=self.__name__))
        if not self._produced_around.isdisjoint(names):
            return Refusal(AROUND.format(name=self.__name__))
        return None

    def _started(self) -> Supply:
        from pyspeedup.concurrent._buffering.supply import (
            Supply,  # heavy, and not needed by an import
        )

        supply = Supply(self._job())
        self._finalizer = weakref.finalize(self, supply.end)
        self._finalizer.atexit = False  # all children are ended then, at once
        return supply

    def _job(self) -> Job:
        from pyspeedup.concurrent._buffering.producer import Job

        name = self.__name__
        generator = shipping.dumps(self._generator, f"Buffer {name}", known=(self._identity,))
        return Job(
            kind=type(self),
            identity=self._identity,
            name=name,
            generator=generator,
            buffersize=self._buffersize,
            skip=len(self._values),
            own=frozenset((self._identity, self._origin)),
            origins=self._produced_around.union(self._produced_here),
            # it occurs in what was shipped, or what that imports can refer to it
            keeps=self._identity.encode() in generator or self._origin != self._identity,
        )

    def _after_fork(self) -> None:
        """In a forked child: leave the producer, and what it sends, to the parent."""
        self._lock = threading.RLock()
        self._call_in()
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

    # Travelling, see `shipping`

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return shipping.reference(type(self), self._identity, self._definition)

    def _definition(self) -> tuple[Generator[T], int, HaltCondition] | str:
        if isinstance(self._supply, Refusal):
            return self.__name__
        return self._generator, self._buffersize, self._halt

    @classmethod
    def _shell(cls, identity: str) -> Self:
        shell = cls.__new__(cls)
        shell._lay_out(identity, None)  # noqa: SLF001 -- a constructor of its own class
        return shell

    @classmethod
    def _fill(cls, shell: Self, definition: Any) -> None:
        if isinstance(definition, str):
            shell._refuse(definition, AROUND)
        else:
            shell._define(*definition)

    def _refuse(self, name: str, reason: str) -> None:
        self._define((), 1, uniformlyNonDecreasing)
        self.__name__ = name
        self._supply = Refusal(reason.format(name=name))

    @classmethod
    def _inside(cls, job: Job, produced: list[Any]) -> None:
        """Let the Buffer's name mean, in its producer, a view on what it has produced."""
        inside = shipping.meaning_of(job.identity)  # there already, if we were forked
        if inside is None:
            inside = cls._shell(job.identity)
        inside._become_inside(job.name, produced)  # noqa: SLF001 -- likewise
        shipping.set_meaning(job.identity, inside)
        Growing._produced_here = dict.fromkeys(job.own, inside)
        Growing._produced_around = job.origins

    def _become_inside(self, name: str, produced: list[Any]) -> None:
        self._lay_out(self._identity, produced)
        self._refuse(name, INSIDE)


def _unreadable(name: str, position: int, failure: Exception) -> BaseException:
    error = TypeError(f"item {position} of Buffer {name} arrived and cannot be read: {failure}")
    error.__cause__ = failure
    return error


def _after_fork() -> None:
    around = Growing._produced_around.union(Growing._produced_here)  # noqa: SLF001 -- the class's own hook
    Growing._produced_around, Growing._produced_here = around, {}  # noqa: SLF001 -- likewise
    for each in list(Growing._all):  # noqa: SLF001 -- likewise
        each._after_fork()  # noqa: SLF001 -- likewise


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
