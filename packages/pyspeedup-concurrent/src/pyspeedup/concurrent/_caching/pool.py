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
import threading
import weakref
from collections import deque
from dataclasses import dataclass, field
from multiprocessing import connection, heap
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.concurrent._caching import messages as _messages
from pyspeedup.concurrent._caching import worker as _worker
from pyspeedup.concurrent._caching.dispatcher import Begin, Dispatcher, Resolve
from pyspeedup.concurrent._caching.hand import Hand
from pyspeedup.concurrent._caching.messages import Ask, Done, Give, Outcome, Ready, Response
from pyspeedup.concurrent._processes import children
from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from pyspeedup.concurrent._caching.dispatcher import Action
    from pyspeedup.concurrent._caching.messages import Call, Shipment

__all__ = ["Job", "Pool"]

MOST_STACKS = 8
THREAD_NAME = f"{children.NAME_PREFIX}pool"
MOST_EPOCHS = 1 << 30
MOST_STILLBORN = 3
"""So many workers in a row that end before they are ready, and no more are tried."""
LINE = 16
"""Words of shared memory for each worker, and for the flag: a line of the processor's cache."""


class Job(NamedTuple):
    """A call that somebody outside waits for."""

    call: Call
    shipment: Shipment
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Task:
    """A call, for the dispatcher; with its function where it may have to be begun."""

    call: Call
    shipment: Shipment | None = field(default=None, compare=False)


class Pool:
    """`size` workers; `shipment_of` finds the function of a call that a worker gave away.

    `generations` returns those of all functions that were ever told to forget, as a mapping that
    never changes: after a change it returns another.
    """

    def __init__(
        self,
        size: int,
        shipment_of: Callable[[Call], Shipment | None],
        generations: Callable[[], Mapping[int, int]],
    ) -> None:
        """Start the workers, then the thread; `OSError` if not one process can be started."""
        self.broken = False
        self._shipment_of = shipment_of
        self._generations = generations
        self._shared_memory = heap.Arena(4 * LINE * (size + 1))
        self._shared = memoryview(self._shared_memory.buffer).cast("I")
        self._epoch = 0
        self._was_given = False
        self._dispatcher: Dispatcher[Outcome] = Dispatcher(stacks=MOST_STACKS)
        self._futures: dict[Any, list[Future[Any]]] = {}
        self._inbox: deque[Job | None] = deque()
        self._bell, self._ringer = connection.Pipe(duplex=False)
        self._rung = False
        self._stillborn = 0
        self._size = size
        self._hands: list[Hand] = []
        self._thread: threading.Thread | None = None
        self._pauses = 0
        self._pausing = threading.Lock()
        try:
            for _ in range(size):
                self._hire()
        except BaseException:
            self._dismiss_all()
            raise
        _pools.add(self)
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
            future.cancel()
            future.set_running_or_notify_cancel()

    def _post(self, job: Job | None) -> None:
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
        self._thread = threading.Thread(target=self._run, name=THREAD_NAME, daemon=True)
        self._thread.start()

    def _stop_thread(self) -> None:
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            self._thread = None
            self._post(None)
            thread.join()

    # In the thread --------------------------------------------------------------------------------

    def _run(self) -> None:
        """Carry messages until told to stop."""
        while self._is_usable():
            sources: list[Any] = [self._bell]
            for hand in self._hands:
                sources += (hand.connection, hand.child.sentinel)
            ready = connection.wait(sources)
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
                self._show_hunger()

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
            task = _Task(job.call, job.shipment)
            self._futures.setdefault(task, []).append(job.future)
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
            hand.child.join()
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
        task = _Task(message.call)
        if isinstance(message, Done):
            outcome, failed = message.outcome, message.outcome.kind != "value"
            self._perform(self._dispatcher.finish(message.stack, task, outcome, failed=failed))
        elif isinstance(message, Ask):
            self._perform(self._dispatcher.ask(message.stack, task))
        elif isinstance(message, Give):
            self._take_gift(message)

    def _take_gift(self, message: Give) -> None:
        self._was_given = True
        shipment = self._shipment_of(message.call)
        if shipment is not None:
            task = _Task(message.call, shipment)
            self._perform(self._dispatcher.give(message.stack, [task]))

    def _perform(self, actions: list[Action[Outcome]]) -> None:
        for action in actions:
            if isinstance(action, Resolve):
                for future in self._futures.pop(action.call, []):
                    _settle(future, action.outcome)
            elif isinstance(action, Begin):
                self._begin(action)
            else:
                hand: Any = action.worker
                hand.send(Response(action.stack, action.verdict, action.outcome))

    def _begin(self, action: Begin) -> None:
        hand: Any = action.worker
        task: Any = action.call
        hand.begin(action.stack, task.call, task.shipment, self._generations())

    def _show_hunger(self) -> None:
        """Tell those who compute that somebody is idle: a new number for each call wished for."""
        if not self._dispatcher.hungry:
            self._shared[0] = 0
        elif not self._shared[0] or self._was_given:
            self._epoch = self._epoch % MOST_EPOCHS + 1
            self._shared[0] = self._epoch
            self._was_given = False

    # Workers come and go --------------------------------------------------------------------------

    def _hire(self, *, may_fork: bool = True) -> None:
        places = {LINE * number for number in range(1, self._size + 1)}
        place = min(places - {hand.place for hand in self._hands})
        self._shared[place] = 0
        ours, theirs = connection.Pipe(duplex=True)
        try:
            args = (theirs, self._shared_memory, place)
            child = children.start_child(_worker.run, args, "worker", may_fork=may_fork)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._hands.append(Hand(child, ours, self._shared, place))

    def _bury(self, hand: Hand) -> None:
        """Replace a dead worker; its calls are begun once more, or answered by how it died."""
        self._hands.remove(hand)
        hand.dismiss()
        error = hand.obituary()
        if hand.ready:
            outcome, heard = _messages.error_outcome(error, 0.0), hand.has_heard()
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
            if future.set_running_or_notify_cancel():
                future.set_exception(error)

    def _release(self) -> None:
        self._bell.close()
        self._ringer.close()
        self._shared.release()

    def _dismiss_all(self) -> None:
        for hand in self._hands:
            hand.dismiss()
        self._hands.clear()

    def _unanswered(self) -> list[Future[Any]]:
        """Return, once, every future that nobody will bring an outcome to any more."""
        found = [future for futures in self._futures.values() for future in futures]
        self._futures.clear()
        while self._inbox:
            job = self._inbox.popleft()
            if job is not None:
                found.append(job.future)
        return found


def _settle(future: Future[Any], outcome: Outcome) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        value = outcome.fetch()
    except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
        future.set_exception(error)
    else:
        future.set_result(value)


_pools: weakref.WeakSet[Pool] = weakref.WeakSet()


def _pause_all() -> None:
    for pool in list(_pools):
        pool.pause()


def _resume_all() -> None:
    for pool in list(_pools):
        pool.resume()


def _close_all() -> None:
    for pool in list(_pools):
        pool.close()


children.quieten(_pause_all, _resume_all)
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_pause_all, after_in_parent=_resume_all, after_in_child=_pools.clear)
