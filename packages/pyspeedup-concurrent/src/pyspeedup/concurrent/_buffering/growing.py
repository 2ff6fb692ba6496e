"""How there come to be more values in a Buffer: what has arrived, what is awaited, how it ended."""

from __future__ import annotations

import functools
import os
import threading
import weakref
from collections.abc import Callable, Iterable, MutableSequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pyspeedup.concurrent._arguments import Generator, origin_of
from pyspeedup.concurrent._buffering.views import Refusal
from pyspeedup.concurrent._processes import shipping
from pyspeedup.concurrent.halting import uniformlyNonDecreasing
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from typing import Self

    from pyspeedup.concurrent._buffering.frames import Frame
    from pyspeedup.concurrent._buffering.producer import Job
    from pyspeedup.concurrent._buffering.supply import Supply
    from pyspeedup.core import HaltCondition

__all__ = ["Growing"]

T = TypeVar("T")

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

    def _lay_out(self, identity: str, values: MutableSequence[T]) -> None:
        self._identity = identity
        self._values = values
        self._arrived: tuple[int, list[T]] = (len(values), [])
        """Where the values begin that have come from the producer last, and these values."""
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
            ended = self._ended  # before revealing: all that there is has arrived before it ended
            if self._exhausted:
                break
            if self._reveal(position) or len(self._values) > position:
                continue
            if self._closed:
                raise ValueError(
                    f"Buffer {self.__name__} is closed; what it has cached is readable"
                )
            if ended:
                self._reach_end()
                break
            if self._supply is None:
                self._start()
                continue
            self._supply.advance(len(self._values), self._has_news, self._accept)
        return len(self._values) > position  # another thread may have been faster

    def _reveal(self, position: int) -> bool:
        """Cache values that have arrived, up to `position`; False if none has."""
        with self._lock:
            if self._closed:
                return False
            before = len(self._values)
            base, arrived = self._arrived
            new = arrived[before - base : position + 1 - base]
            if new:
                self._values.extend(new)
                self._let_go_on(before)
            return bool(new)

    def _let_go_on(self, index: int) -> None:
        """Tell the producer what was asked for, once a quarter of `buffersize`."""
        supply = self._supply
        if supply is not None and not self._ended and index - supply.asked > self._buffersize // 4:
            supply.ask(index)

    def _has_news(self) -> bool:
        base, arrived = self._arrived
        return base + len(arrived) > len(self._values) or self._ended or self._closed

    def _reach_end(self) -> None:
        if self._outcome is not None:
            raise self._outcome()
        self._exhausted = True
        self._arrived = (len(self._values), [])

    # What the producer says

    def _accept(self, frame: Frame | None) -> None:
        """Take a message of the producer in; None says that it is dead."""
        from pyspeedup.concurrent._buffering import frames
        from pyspeedup.concurrent._processes import remote_error

        if self._ended or self._closed:
            return
        if frame is None:
            self._end_with(self._death())
        elif frame.kind == frames.END:
            self._end_with(None)
        elif frame.kind == frames.ERROR:
            self._end_with(functools.partial(remote_error.unbox, frame.payload))
        else:
            self._accept_items(frame)

    def _accept_items(self, frame: Frame) -> None:
        from pyspeedup.concurrent._buffering import frames

        with self._lock:
            base, arrived = self._arrived
            end = base + len(arrived)
            new, failure = frames.decode(frame, end - frame.start)
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
        shell._lay_out(identity, [])  # noqa: SLF001 -- a constructor of its own class
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
