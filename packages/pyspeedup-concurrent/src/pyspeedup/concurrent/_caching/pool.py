"""The worker processes of an engine, and the thread that carries messages between them.

One thread alone tells the dispatcher what happens and writes to the workers, so nothing here is
locked, and Ctrl-C, which reaches only the main thread, never finds a message half sent. Whoever
submits leaves a note in the inbox and wakes it.

While a process is forked the thread is not there: it stops before and is started again after,
so that no fork of anybody's copies it in the midst of something.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import selectors
import threading
import weakref
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import connection, util
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.concurrent._caching import messages as _messages
from pyspeedup.concurrent._caching import worker as _worker
from pyspeedup.concurrent._caching.dispatcher import Begin, Dispatcher, Resolve
from pyspeedup.concurrent._caching.hand import Hand
from pyspeedup.concurrent._caching.history import History
from pyspeedup.concurrent._caching.messages import Busy, Done, Give, Outcome, Parked, Ready
from pyspeedup.concurrent._caching.seats import Seats
from pyspeedup.concurrent._caching.vigil import Vigil
from pyspeedup.concurrent._caching.waiting import Waiting, dismiss
from pyspeedup.concurrent._processes import children
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from pyspeedup.concurrent._caching.dispatcher import Action
    from pyspeedup.concurrent._caching.messages import BatchCall, Call, Shipment
    from pyspeedup.core.protocols import FunctionStats

__all__ = ["Job", "Pool"]

THREAD_NAME = f"{children.NAME_PREFIX}pool"
MOST_STILLBORN = 3
"""So many workers in a row that end before they are ready, and no more are tried."""
LAST_MOMENT = 0.5
"""Seconds that a worker whose connection has ended is waited for: what it forked may keep it from being seen dead."""
LIGHT = 1 << 15
"""Bytes of arguments that fit into a pipe, whoever reads at its other end."""


class Job(NamedTuple):
    """A call or a batch that somebody outside waits for."""

    call: Call | BatchCall
    shipment: Shipment
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Task:
    """A call, for the dispatcher; with its function where it may have to be begun."""

    call: Call | BatchCall
    shipment: Shipment | None = field(default=None, compare=False)


def _is_light(task: Any) -> bool:
    shipped = 0 if task.shipment is None else len(task.shipment.data)
    return len(task.call.arguments) + shipped < LIGHT


class Pool:
    """`size` workers; `shipment_of` finds the function of a call that a worker gave away.

    `generations` returns those of all functions that were ever told to forget, as a mapping that
    never changes: after a change it returns another.
    """

    def __init__(
        self,
        size: int,
        shipment_of: Callable[[Call | BatchCall], Shipment | None],
        generations: Callable[[], Mapping[int, int]],
    ) -> None:
        """Start the workers, then the thread; `OSError` if not one process can be started."""
        self.broken = False
        self._shipment_of = shipment_of
        self._generations = generations
        self._seats = Seats(size)
        self._dispatcher: Dispatcher[Outcome] = Dispatcher(_is_light)
        self._waiting = Waiting()
        self._inbox: deque[Job | Callable[[], None] | None] = deque()
        self._bell, self._ringer = connection.Pipe(duplex=False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._vigil = Vigil()
        self._rung = False
        self._stillborn = 0
        self._size = size
        self._hands: list[Hand] = []
        self.history = History()
        self._thread: threading.Thread | None = None
        self._pauses = 0
        self._pausing = threading.Lock()
        try:
            for _ in range(size):
                self._hire()
        except BaseException:
            self._dismiss_all()
            self._release()
            raise
        _pools.add(self)
        _close_all_with_this_process()
        self._start_thread()

    # From any thread ------------------------------------------------------------------------------

    def submit(self, job: Job) -> bool:
        """Have a call begun; its future brings the outcome, or is cancelled by `close`.

        False, and the future is cancelled, if this pool has come to its end meanwhile.
        """
        self._post(job)
        return not (self.broken and job.future.cancel())

    def close(self) -> None:
        """End the workers and the thread; futures without an outcome are cancelled."""
        if self.broken:
            return
        self.broken = True
        _pools.discard(self)
        self._stop_thread()
        self._dismiss_all()
        self._release()
        for future in self._unanswered():
            dismiss(future)

    def abandon(self) -> None:
        """Let go of what belongs to the parent, in a forked process, without a word to anybody."""
        self.broken = True
        for hand in self._hands:
            hand.connection.close()
        self._release()

    def stats(self, number: int) -> FunctionStats:
        """Return what has become of a function's calls."""
        pids = [hand.child.pid for hand in [*self._hands]]
        idle = self.history.idle_of(pids)
        return self.history.stats(number, workers=self._size, idle=idle)

    def cancel(self, job: Job) -> None:
        """Drop a call that its future says nobody wants, if it has not been begun."""
        self._post(lambda: self._cancel(job))

    def _post(self, job: Job | Callable[[], None] | None) -> None:
        self._inbox.append(job)
        if not self._rung:
            self._rung = True
            with contextlib.suppress(OSError):  # closed meanwhile, which `submit` sees
                self._ringer.send_bytes(b"")

    def pause(self) -> None:
        """Stop the thread, between two messages, until `resume`."""
        with self._pausing:
            self._pauses += 1
            self._stop_thread()

    def resume(self) -> None:
        """Start the thread again when everybody who paused it has said so."""
        with self._pausing:
            self._pauses -= 1
            if not self._pauses and not self.broken:
                self._start_thread()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run_or_give_up, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def _stop_thread(self) -> None:
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._thread = None
            self._post(None)
            thread.join()

    # In the thread --------------------------------------------------------------------------------

    def _run_or_give_up(self) -> None:
        """Carry messages; a fault of ours is shown, and nobody is left waiting for an answer."""
        try:
            self._run()
        except Exception as fault:
            if not self.broken:
                self._give_up(WorkerError(f"no message can be carried any more: {fault!r}"))
            raise

    def _run(self) -> None:
        """Carry messages until told to stop."""
        while self._is_usable():
            ready = {key.fileobj for key, _ in self._selector.select(self._vigil.patience())}
            dead = [hand for hand in self._hands if hand.child.sentinel in ready]
            for hand in dead:  # first, so that nothing is handed to them any more
                if self._is_usable():
                    self._listen_to(hand, to_the_end=True)
            for hand in [*self._hands]:
                if hand.connection in ready and self._is_usable():
                    self._listen_to(hand)
            if self._is_usable() and self._bell in ready and not self._read_inbox():
                return
            if self._is_usable():
                self._look_after_those_who_compute()

    def _is_usable(self) -> bool:
        return not self.broken

    def _read_inbox(self) -> bool:
        """Begin what was left in the inbox; False when told to stop."""
        self._bell.recv_bytes()
        self._rung = False
        while self._inbox:
            job = self._inbox.popleft()
            if job is None:
                return False
            if not isinstance(job, Job):
                job()
                continue
            task = _Task(job.call, job.shipment)
            self._waiting.add(task, job.future)
            self._perform(self._dispatcher.submit(task))
        return True

    def _listen_to(self, hand: Hand, *, to_the_end: bool = False) -> None:
        """Hear one message out, or all that a dead worker has said; then that one is replaced."""
        try:
            while hand.connection.poll():
                self._hear(hand, _messages.receive(hand.connection))
                if not to_the_end:
                    return
        except (EOFError, OSError):  # cut off in mid-message: it is dead, or as good as dead
            hand.child.join(LAST_MOMENT)
        else:
            if hand.child.is_alive():
                return
        self._bury(hand)

    def _hear(self, hand: Hand, message: Any) -> None:
        if isinstance(message, Ready):
            hand.ready = True
            self._stillborn = 0
            self._perform(self._dispatcher.add_worker(hand))
            return
        if isinstance(message, Done):
            self._take_outcome(hand, message)
        elif isinstance(message, Give):
            self._take_gift(hand, message)
        elif isinstance(message, Parked):
            if hand.has_heard(message.read):  # else: what it was sent is on its way to it
                self._perform(self._dispatcher.park(hand))
        elif isinstance(message, Busy):
            self._dispatcher.resume(hand)

    def _take_outcome(self, hand: Hand, message: Done) -> None:
        self.history.add(hand.child.pid, message)
        listening = message.listening and hand.has_heard(message.read)
        task = _Task(message.call)
        self._perform(self._dispatcher.finish(hand, task, message.outcome, listening=listening))

    def _take_gift(self, hand: Hand, message: Give) -> None:
        self._vigil.show_again()
        shipment = self._shipment_of(message.calls)
        if shipment is not None:
            self._perform(self._dispatcher.give(hand, _Task(message.calls, shipment)))

    def _cancel(self, job: Job) -> None:
        task = _Task(job.call)
        if self._waiting.withdraw(task, job.future):
            self._dispatcher.cancel(task)

    def _perform(self, actions: list[Action[Outcome]]) -> None:
        for action in actions:
            if isinstance(action, Resolve):
                self._waiting.settle(action.call, action.outcome)
            elif isinstance(action, Begin):
                self._begin(action)

    def _begin(self, action: Begin) -> None:
        hand: Any = action.worker
        task: Any = action.call
        if action.wanted and not self._waiting.begin(task):
            self._perform(self._dispatcher.retract(hand, task))
            return
        hand.begin(task.call, task.shipment, self._generations(), wanted=action.wanted)

    # While something is computed

    def _look_after_those_who_compute(self) -> None:
        """Tell them that somebody is idle, and let them know from time to time how time goes by."""
        if self._size == 1:
            return
        dispatcher, vigil = self._dispatcher, self._vigil
        vigil.look(computing=dispatcher.computing, hungry=dispatcher.hungry)
        if vigil.hunger_ended:
            self._seats.hide_hunger()
        if vigil.is_to_show or vigil.is_to_tick:
            busy = [hand.seat for hand in self._hands if dispatcher.is_computing(hand)]
            if vigil.is_to_show:
                self._seats.show_hunger([seat.place for seat in busy])
            if vigil.is_to_tick:
                for seat in busy:
                    self._seats.tick(seat)

    # Workers come and go --------------------------------------------------------------------------

    def _hire(self, *, may_fork: bool = True) -> None:
        seat = self._seats.take({hand.seat.place for hand in self._hands})
        ours, theirs = connection.Pipe(duplex=True)
        try:
            args = (theirs, seat)
            child = children.start_child(_worker.run, args, "worker", may_fork=may_fork)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._hands.append(Hand(child, ours, seat))
        for source in (ours, child.sentinel):
            self._selector.register(source, selectors.EVENT_READ)

    def _bury(self, hand: Hand) -> None:
        """Replace a dead worker; its calls are begun once more, or answered by how it died."""
        self._hands.remove(hand)
        self._dismiss(hand)
        error = hand.obituary()
        if hand.ready:
            outcome = _messages.error_outcome(error, 0.0)
            heard = hand.has_heard(self._seats.read_by(hand.seat))
            self._perform(self._dispatcher.remove_worker(hand, outcome, heard=heard))
            self._stillborn = 0
        else:
            self._stillborn += 1
        reason = self._refill()
        if not self._hands:
            message = f"{error}, and no other could be started: {reason}"
            self._give_up(WorkerError(message, pid=error.pid, exitcode=error.exitcode))

    def _refill(self) -> str:
        """Start what is missing; return why not, for without any nobody would ever answer."""
        if self._stillborn >= MOST_STILLBORN:
            return f"{self._stillborn} in a row had ended before they were ready"
        try:
            while len(self._hands) < self._size:
                self._hire(may_fork=False)  # other threads run by now
        except OSError as failure:
            return str(failure)
        return ""

    def _give_up(self, error: WorkerError) -> None:
        self.broken = True
        _pools.discard(self)
        self._dismiss_all()
        self._release()
        for future in self._unanswered():
            dismiss(future, error)

    def _release(self) -> None:
        self._bell.close()
        self._ringer.close()
        self._selector.close()
        self._seats.close()

    def _dismiss(self, hand: Hand) -> None:
        for source in (hand.connection, hand.child.sentinel):
            self._selector.unregister(source)
        hand.dismiss()
        self._seats.leave(hand.seat)

    def _dismiss_all(self) -> None:
        for hand in self._hands:
            self._dismiss(hand)
        self._hands.clear()

    def _unanswered(self) -> list[Future[Any]]:
        """Return, once, every future that nobody will bring an outcome to any more."""
        found = self._waiting.take_all()
        while self._inbox:
            job = self._inbox.popleft()
            if isinstance(job, Job):
                found.append(job.future)
        return found


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_closed_with: int | None = None
"""The process whose end `_close_all` is registered for."""


def _pause_all() -> None:
    for pool in list(_pools):
        pool.pause()


def _resume_all() -> None:
    for pool in list(_pools):
        pool.resume()


def _close_all() -> None:
    for pool in list(_pools):
        pool.close()


def _close_all_with_this_process() -> None:
    """In a process of multiprocessing's, which runs no exit handlers: close before the children are ended."""
    global _closed_with  # noqa: PLW0603 -- one registration a process
    if _closed_with != os.getpid():
        util.Finalize(None, _close_all, exitpriority=20)
        _closed_with = os.getpid()


def _abandon_all() -> None:
    for pool in list(_pools):
        pool.abandon()
    _pools.clear()


children.quieten(_pause_all, _resume_all)
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause_all, after_in_parent=_resume_all, after_in_child=_abandon_all)
