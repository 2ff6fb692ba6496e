"""The worker processes of an engine, and the thread that carries messages between them.

One thread alone tells the dispatcher what happens and writes to the workers, so nothing here is
locked, and Ctrl-C, which reaches only the main thread, never finds a message half sent. Whoever
submits leaves a note in the inbox and wakes it. While this process is forked the thread is not there.
"""

from __future__ import annotations

import contextlib
import selectors
from multiprocessing import connection
from typing import TYPE_CHECKING, Any

from pyspeedup.concurrent._caching import forks as _forks
from pyspeedup.concurrent._caching import messages as _messages
from pyspeedup.concurrent._caching import worker as _worker
from pyspeedup.concurrent._caching.courier import Courier
from pyspeedup.concurrent._caching.dispatcher import Begin, Dispatcher, Resolve
from pyspeedup.concurrent._caching.hand import Hand, Luggage
from pyspeedup.concurrent._caching.history import History
from pyspeedup.concurrent._caching.inbox import Inbox
from pyspeedup.concurrent._caching.messages import Busy, Done, Give, Outcome, Parked, Ready
from pyspeedup.concurrent._caching.seats import Seats
from pyspeedup.concurrent._caching.vigil import Vigil
from pyspeedup.concurrent._caching.waiting import Waiting, dismiss
from pyspeedup.concurrent._processes import children
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from pyspeedup.concurrent._caching.dispatcher import Action
    from pyspeedup.concurrent._caching.hand import Tidings
    from pyspeedup.concurrent._caching.messages import BatchCall, Call, Shipment
    from pyspeedup.core.protocols import FunctionStats

__all__ = ["Job", "Pool"]

THREAD_NAME = f"{children.NAME_PREFIX}pool"
MOST_STILLBORN = 3
"""So many workers in a row that end before they are ready, and no more are tried."""
LAST_MOMENT = 0.5
"""Seconds that a worker whose connection has ended is waited for: what it forked may keep it from being seen dead."""


class Job:
    """A call or a batch that somebody outside waits for."""

    __slots__ = ("call", "future", "shipment")

    def __init__(self, call: Call | BatchCall, shipment: Shipment, future: Future[Any]) -> None:
        """Wait in `future`."""
        self.call = call
        self.shipment = shipment
        self.future = future


class _Task:
    """A call, for the dispatcher; with its function where it may have to be begun."""

    __slots__ = ("call", "shipment")

    def __init__(self, call: Call | BatchCall, shipment: Shipment | None = None) -> None:
        self.call = call
        self.shipment = shipment

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Task) and self.call == other.call

    def __hash__(self) -> int:
        return hash(self.call)


class Pool:
    """`size` workers; `shipment_of` finds the function of a call that a worker gave away.

    `tidings` returns what every worker is to be told of.
    """

    def __init__(
        self,
        size: int,
        shipment_of: Callable[[Call | BatchCall], Shipment | None],
        tidings: Callable[[], Tidings],
    ) -> None:
        """Start the workers, then the thread; `OSError` if not one process can be started."""
        self.broken = False
        self._shipment_of = shipment_of
        self._seats = Seats(size)
        self._hands: list[Hand] = []
        self._luggage = Luggage(self._hands, tidings)
        self._dispatcher: Dispatcher[Outcome] = Dispatcher(self._luggage.is_light)
        self._waiting = Waiting()
        self._inbox: Inbox[Job | Callable[[], None]] = Inbox()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._inbox.bell, selectors.EVENT_READ)
        self._vigil = Vigil()
        self._stillborn = 0
        self._size = size
        self.history = History()
        self.courier = Courier(self._run_or_give_up, self._inbox.ring, THREAD_NAME)
        try:
            for _ in range(size):
                self._hire()
            _forks.enter(self)
        except BaseException:
            self.close()
            raise

    # From any thread ------------------------------------------------------------------------------

    def submit(self, job: Job) -> bool:
        """Have a call begun; its future brings the outcome, or is cancelled by `close`.

        False, and the future is cancelled, if this pool has come to its end meanwhile.
        """
        self._inbox.put(job)
        return not (self.broken and job.future.cancel())

    def close(self) -> None:
        """End the workers and the thread; futures without an outcome are cancelled."""
        if self.broken:
            return
        self._end()

    def abandon(self) -> None:
        """Let go of what belongs to the parent, in a forked process, without a word to anybody."""
        self.broken = True
        for hand in self._hands:
            hand.connection.close()
        self._inbox.begin_afresh()
        self._release()

    def stats(self, number: int) -> FunctionStats:
        """Return what has become of a function's calls."""
        pids = [hand.child.pid for hand in [*self._hands]]
        idle = self.history.idle_of(pids)
        return self.history.stats(number, workers=self._size, idle=idle)

    def cancel(self, job: Job) -> None:
        """Drop a call that its future says nobody wants, if it has not been begun."""
        self._inbox.put(lambda: self._cancel(job))

    # In the thread --------------------------------------------------------------------------------

    def _run_or_give_up(self) -> None:
        """Carry messages; a fault of ours is shown, and nobody is left waiting for an answer."""
        try:
            self._run()
        except BaseException as fault:
            if not self.broken:
                self._end(WorkerError(f"no message can be carried any more: {fault!r}"))
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
            if self._is_usable() and self._inbox.bell in ready:
                self._read_inbox()
                if self.courier.is_to_stop():
                    return
            if self._is_usable():
                self._look_after_those_who_compute()

    def _is_usable(self) -> bool:
        return not self.broken

    def _read_inbox(self) -> None:
        """Begin what was left in the inbox."""
        for job in self._inbox.take():
            if not isinstance(job, Job):
                job()
                continue
            task = _Task(job.call, job.shipment)
            self._luggage.look()
            self._waiting.add(task, job.future)
            self._perform(self._dispatcher.submit(task))

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
        hand.begin(task.call, task.shipment, self._luggage.tidings, wanted=action.wanted)

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
            self._end(WorkerError(message, pid=error.pid, exitcode=error.exitcode))

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

    def _end(self, error: WorkerError | None = None) -> None:
        self.broken = True
        with contextlib.ExitStack() as steps:  # the last one first, and each though another fails
            steps.callback(self._dismiss_futures, error)
            steps.callback(self._release)
            steps.callback(self._dismiss_all)
            _forks.leave(self)
            self.courier.end()

    def _release(self) -> None:
        self._inbox.close()
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

    def _dismiss_futures(self, error: WorkerError | None) -> None:
        """End, once, every future that nobody will bring an outcome to any more."""
        left = [job.future for job in self._inbox.take() if isinstance(job, Job)]
        for future in [*self._waiting.take_all(), *left]:
            dismiss(future, error)
