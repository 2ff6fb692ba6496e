"""What runs in a worker process: it listens, computes, and tells others what it computes."""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import os
import pickle
import select
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching import here as _here
from pyspeedup.concurrent._caching import messages
from pyspeedup.concurrent._caching.board import Board
from pyspeedup.concurrent._caching.calls import arguments_of
from pyspeedup.concurrent._caching.desk import Desk
from pyspeedup.concurrent._caching.local_board import LocalBoard, Place
from pyspeedup.concurrent._caching.long_calls import LongCalls
from pyspeedup.concurrent._caching.meanings import Meanings
from pyspeedup.concurrent._caching.messages import (
    PROTOCOL,
    BatchCall,
    Begin,
    Busy,
    Call,
    Done,
    Give,
    Outcome,
    Parked,
    Ready,
)
from pyspeedup.concurrent._caching.notes import Note
from pyspeedup.concurrent._caching.seats import HUNGER
from pyspeedup.concurrent._caching.stacks import Stacks, start_thread
from pyspeedup.concurrent._processes import prints, shipping

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from pyspeedup.concurrent._caching import office
    from pyspeedup.concurrent._caching.calls import Key
    from pyspeedup.concurrent._caching.local import Memory
    from pyspeedup.concurrent._caching.seats import Seat

__all__ = ["Worker", "run"]

RECURSION_LIMIT = 250_000
"""Frames of Python on one stack; a level of recursion is two. They take no C stack."""
NET = 0.02
"""Seconds after which a stack that waits looks for itself whether its wake-up was lost."""


class Worker:
    """This process as a worker: the office of its desk, and the meanings of names in it."""

    def __init__(self, connection: Connection, seat: Seat) -> None:
        """Know no function yet."""
        self._connection = connection
        self._seat = seat
        self._read = 0
        self._sending = threading.Lock()
        self._serials = itertools.count()
        self.board: office.Board = _GuardedBoard(seat.board_memory, seat.place, seat.life)
        self._desk = Desk(self, seat.attention)
        self._stacks = Stacks(self)
        self.meanings = Meanings(self._desk)
        self._long_calls = LongCalls(self.board, seat, self.meanings)
        self._waits: list[tuple[float, float]] = []
        self._waited = 0.0
        self._has_told = True
        """Whether the engine knows that this worker listens; the first that it is told is `Ready`."""
        self._is_forked = False
        self._is_alone = seat.is_alone
        self._poll = select.poll()
        self._poll.register(connection.fileno(), select.POLLIN)
        self._poll.register(seat.wake.fileno(), select.POLLIN)

    def serve(self) -> None:
        """Compute what comes, in this thread and others, for good."""
        self._send(Ready())
        self._stacks.serve()

    def tick_for_ever(self) -> None:
        """Look after what takes long, in another thread, whenever the engine says so."""
        while os.read(self._seat.tick.fileno(), 64):
            self._desk.tick()
            if not self._seat.is_alone:
                self._long_calls.hear()
                self._long_calls.tell(self._desk.late_names())

    def detach(self) -> None:
        """Compute by itself from now on, in a process forked from here: what is shared isn't its own."""
        self._is_forked = True
        self.board = Place(LocalBoard(), 0)
        self._desk.detach(self.board)
        self._connection.close()

    # The source of the stacks -------------------------------------------------------------------

    def has_news(self, stack: Any, /) -> bool:
        """Tell whether what a stack waits for has come to an end, though it may have been begun anew."""
        if self.board.is_waiting(stack):
            return False
        self._say_busy()
        return True

    def next_task(self, *, parked: bool, room: bool) -> Begin | Note | None:
        """Return what was noted, else what the engine sends; None where there may be news."""
        if parked and room:
            note = self._desk.note_for_here()
            if note is not None:
                self._say_busy()
                return note
        if room:  # also where nobody waits: a stack that computed a note told nothing at its end
            self._say_parked()
        ready = self._wait(parked=parked)
        if self._seat.wake.fileno() in ready:
            self._seat.clear_wake()
        elif room and ready:
            self._has_told = False
            return self._receive()
        return None

    def _wait(self, *, parked: bool) -> dict[int, int]:
        """Return what can be read once anything can be, or, if a stack waits, after a while."""
        if not parked:
            return dict(self._poll.poll())
        begun = time.perf_counter()
        ready = dict(self._poll.poll(NET * 1000))
        ended = time.perf_counter()
        if self._waits and begun - self._waits[-1][1] < NET:  # one wait, looked at in between
            begun_then, _ = self._waits.pop()
            self._waits.append((begun_then, ended))
        else:
            self._waits.append((begun, ended))
        self._waited += ended - begun
        return ready

    def _say_parked(self) -> None:
        if not self._has_told:
            self._has_told = True
            self._send(Parked(self._read))

    def _say_busy(self) -> None:
        if self._has_told:
            self._has_told = False
            self._send(Busy())

    def _send(self, message: Any) -> None:
        """Send a message; the thread of the ticks does so, too."""
        with self._sending:
            messages.send(self._connection, message)

    def _receive(self) -> Begin:
        try:
            message: Begin = messages.receive(self._connection)
        except (EOFError, OSError):  # the engine is gone, and so nobody wants anything
            os._exit(0)
        self._read = (self._read + 1) % messages.COUNTS
        self._seat.count(self._read)
        return message

    def run(self, task: Begin | Note, stack: int, /) -> None:
        """Compute a task on a fresh stack."""
        self._desk.begin(stack)
        if isinstance(task, Note):
            self._compute_note(task)
            self._end_if_forked(None)
            self._desk.end()
        else:
            self._compute_task(task)

    def _compute_note(self, note: Note) -> None:
        known = self.meanings.of(note.memory)
        if known is None:  # all was forgotten meanwhile
            return
        args, kwargs = arguments_of(note.key)
        with contextlib.suppress(BaseException):  # whoever needs the call will meet its error
            known.local(*args, **kwargs)

    def _compute_task(self, message: Begin) -> None:
        begun = time.perf_counter()
        outcome = self._compute(message, begun)
        self._end_if_forked(outcome)
        tallies = self._desk.take_tallies()
        self._desk.end()
        waits, self._waits = self._waits, []
        done = Done(
            call=message.call,
            outcome=outcome,
            listening=not self._stacks.any_parked,
            read=self._read,
            begun=begun,
            ended=time.perf_counter(),
            tallies=tallies,
            waits=waits,
        )
        self._has_told = done.listening
        self._send(done)

    def _end_if_forked(self, outcome: Outcome | None) -> None:
        """End a process that the function forked and that has come to the function's end: it's no worker."""
        if not self._is_forked:
            return
        code: Any = 0
        try:
            if outcome is not None:
                outcome.fetch()
        except SystemExit as error:
            code = error.code or 0
        except BaseException:  # noqa: BLE001 -- whatever it is, nobody else will show it
            code = traceback.format_exc()
        if not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
            code = 1
        prints.flush()
        os._exit(code & 0xFF)

    # Computing ----------------------------------------------------------------------------------

    def _compute(self, message: Begin, begun: float) -> Outcome | None:
        call = message.call
        try:
            if message.alive is not None:
                self.meanings.keep_only(message.alive)
            self.meanings.renew(message.news)
            self.meanings.learn(call.number, message.shipment)
            self._long_calls.hear()
            try:
                if isinstance(call, BatchCall):
                    if message.wanted:
                        return self._compute_batch(call, begun)
                    self._compute_gifts(call)
                    return None
                args, kwargs = shipping.loads(call.arguments)
                value = self._evaluate(call.number, args, kwargs)
            finally:
                prints.flush()
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            return messages.error_outcome(error, time.perf_counter() - begun)
        return messages.value_outcome(value, self._name_of(call), time.perf_counter() - begun)

    def _name_of(self, call: Call | BatchCall) -> str:
        return getattr(self.meanings[call.number].function, "__qualname__", "the function")

    def _evaluate(self, number: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        known = self.meanings[number]
        try:
            hash((args, *kwargs.values()))
        except TypeError:  # what can't be remembered can be computed
            return known.function(*args, **kwargs)  # type: ignore[misc]  # it was shipped with the call
        return known.local(*args, **kwargs)

    def _compute_gifts(self, gifts: BatchCall) -> None:
        """Compute what another worker will want, unless somebody has begun it, and publish it."""
        known = self.meanings[gifts.number]
        for key in shipping.loads(gifts.arguments):
            if known.memory is None or known.memory.generation != gifts.generation:
                return
            args, kwargs = arguments_of(key)
            compute = functools.partial(known.local, *args, **kwargs)
            with contextlib.suppress(BaseException):  # whoever needs the call will meet its error
                self._desk.compute_gift(known.memory, key, compute)

    def _compute_batch(self, batch: BatchCall, begun: float) -> Outcome:
        values: list[Any] = []
        failure: BaseException | None = None
        try:
            calls = shipping.loads(batch.arguments)
            values.extend(self._evaluate(batch.number, args, {}) for args in calls)
        except BaseException as error:  # noqa: BLE001 -- it is the caller's, whatever it is
            failure = error
        return messages.batch_outcome(
            values, failure, self._name_of(batch), time.perf_counter() - begun
        )

    # The office of the desk ---------------------------------------------------------------------

    def name(self, memory: Memory, key: Key, /) -> bytes | None:
        """Return what the board knows a call by: the same bytes in all workers."""
        if memory.number < 0 or self._is_alone:  # nobody else knows the function, or is there
            return None
        try:
            return pickle.dumps((memory.number, memory.generation, key), PROTOCOL)
        except Exception:  # noqa: BLE001 -- a class's own code; what can't travel is computed here
            return None

    def pack(self, memory: Memory, value: Any, /) -> bytes | None:
        """Return a value as bytes; None if it cannot travel."""
        try:
            return pickle.dumps(value, PROTOCOL)
        except Exception:  # noqa: BLE001 -- any class's code may fail here; then it goes by value
            try:
                return shipping.dumps(value, f"what {memory.name}() returned")
            except TypeError:  # others compute it by themselves
                return None

    def unpack(self, data: bytes, /) -> Any:
        """Return a value from bytes."""
        return shipping.loads(data)

    def hungry(self) -> bool:
        """Tell whether a worker is idle."""
        return bool(self._seat.shared[HUNGER])

    def give(self, memory: Memory, keys: list[Key], /) -> bool:
        """Leave calls to others, unless the engine does not know the function or they can't travel."""
        if memory.number < 0:
            return False
        try:
            packed = messages.pack_all(keys, f"the arguments of {memory.name}()")
        except TypeError:  # a hint may come to nothing: it will be computed here
            return False
        serial = next(self._serials)
        self._send(Give(BatchCall(memory.number, memory.generation, packed, serial)))
        return True

    def wake(self, places: frozenset[int], /) -> None:
        """Wake the workers that wait for what was published."""
        self._seat.wake_others(places)

    def park(self, name: Any, /) -> float:  # noqa: ARG002 -- the board knows what the stack waits for
        """Let other stacks run until there may be news of a call; return the seconds that none did."""
        before = self._waited
        aside = self._desk.put_aside()
        self._stacks.park(aside.number)
        self._desk.restore(aside)
        return self._waited - before


class _GuardedBoard(Board):
    """A board that the stacks and the thread of the ticks share."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._guard = threading.RLock()

    def claim(self, key: bytes, stack: int) -> Any:
        with self._guard:
            return super().claim(key, stack)

    def publish(self, key: bytes, data: bytes | None, seconds: float) -> frozenset[int]:
        with self._guard:
            return super().publish(key, data, seconds)

    def wait(self, key: bytes, stack: int) -> Any:
        with self._guard:
            return super().wait(key, stack)

    def unwait(self, stack: int) -> None:
        with self._guard:
            super().unwait(stack)

    def abandon(self, stack: int) -> frozenset[int]:
        with self._guard:
            return super().abandon(stack)


def run(connection: Connection, seat: Seat) -> None:
    """Be a worker, until the parent ends or kills this process."""
    worker = _here.worker = Worker(connection, seat)
    for prepare in _here.at_start:
        prepare()
    _print_by_lines()
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_LIMIT))
    start_thread(worker.serve)
    worker.tick_for_ever()


def _print_by_lines() -> None:
    """Have each line that is printed come out whole, though others print to the same place."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True, write_through=False)


def _after_fork() -> None:
    if _here.worker is not None:
        _here.worker.detach()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
