"""Which worker begins which call: what is queued, running and wanted. No process and no I/O in it.

The owner tells it what happened, each method being one event, and does what the returned actions
say. Calls, workers and outcomes are opaque: calls and workers need only be hashable.

A call is *wanted* if somebody outside waits for its outcome, and a *gift* if a worker that is
computing thought that somebody idle could begin it. Nobody waits for a gift here: workers find what it came
to on their board, see `board`, and compute by themselves what nobody has begun. So a gift may be
dropped at any time.

A worker is *listening* while it has nothing to compute, or while all that it has begun waits for others; it
is sent one call then, and no other until it listens again. So nobody sends to somebody who does
not read, however large the messages are.
"""

# Annotations are no strings here: NamedTuple compiles those, see `messages`.
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, NamedTuple, TypeAlias, TypeVar

__all__ = ["Action", "Begin", "Dispatcher", "Resolve"]

Call: TypeAlias = Hashable
Worker: TypeAlias = Hashable
Outcome = TypeVar("Outcome")

MOST_DEATHS = 2
"""A call that so many workers had begun and died over is not begun again."""
MOST_LOSSES = 10
"""Nor one that went so often to a worker that died unread: it may be too large for any of them."""


class Begin(NamedTuple):
    """Send `call` to `worker`, which listens; its outcome is to be told if it is `wanted`."""

    worker: Worker
    call: Call
    wanted: bool


class Resolve(NamedTuple, Generic[Outcome]):
    """Hand the outcome to whoever submitted `call`."""

    call: Call
    outcome: Outcome


Action: TypeAlias = Begin | Resolve[Outcome]


class _Job:
    """A call that is queued (no runner) or running."""

    __slots__ = ("call", "deaths", "giver", "losses", "runner", "wanted")

    def __init__(self, call: Call, *, wanted: bool, giver: Worker | None = None) -> None:
        self.call = call
        self.wanted = wanted
        self.giver = giver
        self.runner: Worker | None = None
        self.deaths = 0
        self.losses = 0


class _Station:
    """A worker, as seen from here."""

    __slots__ = ("jobs", "listening")

    def __init__(self) -> None:
        self.listening = True
        self.jobs: list[_Job] = []
        """What it has begun and not finished, the latest last."""


def _always(_: Call, /) -> bool:
    return True


class Dispatcher(Generic[Outcome]):
    """The state machine; see the module.

    A worker that has begun something and waits is only sent calls for which `is_light` is true:
    it may go on computing at that very moment, and read what it was sent much later.

    >>> dispatcher = Dispatcher()
    >>> dispatcher.add_worker("w")
    []
    >>> dispatcher.submit("f(3)")
    [Begin(worker='w', call='f(3)', wanted=True)]
    >>> dispatcher.finish("w", "f(3)", "six")
    [Resolve(call='f(3)', outcome='six')]
    """

    def __init__(self, is_light: Callable[[Call], bool] = _always) -> None:
        """Start without workers and calls."""
        self._is_light = is_light
        self._jobs: dict[Call, _Job] = {}
        self._gifts: deque[_Job] = deque()
        self._queue: deque[_Job] = deque()
        self._stations: dict[Worker, _Station] = {}

    @property
    def hungry(self) -> bool:
        """Whether a worker could begin a call and there is none."""
        queued = self._clear_away(self._gifts) or self._clear_away(self._queue)
        return not queued and any(s.listening for s in self._stations.values())

    @property
    def settled(self) -> bool:
        """Whether nothing is queued or running."""
        return not self._jobs

    @property
    def computing(self) -> bool:
        """Whether a worker computes: one that has begun something and does not listen."""
        return any(map(self.is_computing, self._stations))

    def is_computing(self, worker: Worker) -> bool:
        """Tell whether one worker does."""
        station = self._stations.get(worker)
        return station is not None and bool(station.jobs) and not station.listening

    def begun_by(self, worker: Worker) -> list[Call]:
        """Return what `worker` has begun and not finished."""
        return [job.call for job in self._stations[worker].jobs]

    # Events -----------------------------------------------------------------------------------

    def add_worker(self, worker: Worker) -> list[Action[Outcome]]:
        """`worker` listens for its first call."""
        self._stations[worker] = _Station()
        return [*self._hand_out()]

    def submit(self, call: Call) -> list[Action[Outcome]]:
        """Somebody outside wants `call`; there will be one `Resolve` of it."""
        job = self._jobs.get(call)
        if job is None:
            self._enqueue(_Job(call, wanted=True))
        else:
            job.wanted = True
        return [*self._hand_out()]

    def give(self, worker: Worker, call: Call) -> list[Action[Outcome]]:
        """`worker` will want `call` and leaves it to whoever is idle."""
        if call not in self._jobs:
            self._enqueue(_Job(call, wanted=False, giver=worker))
        return [*self._hand_out()]

    def finish(
        self, worker: Worker, call: Call, outcome: Outcome | None, *, listening: bool = True
    ) -> list[Action[Outcome]]:
        """`worker` has finished a call that it was sent; `outcome` is None if it was not wanted then.

        `listening` tells whether it can be sent another one.
        """
        station = self._stations[worker]
        job = self._jobs[call]
        station.jobs.remove(job)
        station.listening = listening
        resolved = [*self._settle(job, outcome)]
        if not station.jobs:
            self._drop_gifts_of(worker)
        # The next call is on its way before the answer of the last one is dealt with.
        return [*self._hand_out(), *resolved]

    def park(self, worker: Worker) -> list[Action[Outcome]]:
        """`worker` listens, since all that it has begun waits for others."""
        self._stations[worker].listening = True
        return [*self._hand_out()]

    def resume(self, worker: Worker) -> None:
        """`worker` has found what it waited for, and listens no longer."""
        self._stations[worker].listening = False

    def cancel(self, call: Call) -> bool:
        """Nobody outside wants `call` any more; True if it was dropped, so never will be begun."""
        job = self._jobs.get(call)
        if job is None or not job.wanted or job.runner is not None:
            return False
        del self._jobs[call]
        return True

    def retract(self, worker: Worker, call: Call) -> list[Action[Outcome]]:
        """`call`, which was to be sent to `worker`, is wanted no more and was not sent."""
        station = self._stations[worker]
        station.jobs.remove(self._jobs.pop(call))
        station.listening = True
        return [*self._hand_out()]

    def remove_worker(
        self, worker: Worker, outcome: Outcome, *, heard: bool = True
    ) -> list[Action[Outcome]]:
        """`worker` is dead: begin its calls once more, or answer them with `outcome`.

        `heard` tells whether it had read the last message to it: a call is charged with the death
        only of a worker that knew of it.
        """
        lost = self._stations.pop(worker).jobs
        unread = None if heard or not lost else lost[-1]
        self._drop_gifts_of(worker)
        resolved: list[Action[Outcome]] = []
        for job in lost:
            job.runner = None
            job.losses += job is unread
            job.deaths += job is not unread
            if not job.wanted:
                del self._jobs[job.call]
            elif job.deaths >= MOST_DEATHS or job.losses >= MOST_LOSSES:
                resolved += self._settle(job, outcome)
            else:
                self._queue.appendleft(job)
        return [*self._hand_out(), *resolved]

    # How it is done ---------------------------------------------------------------------------

    def _enqueue(self, job: _Job) -> None:
        self._jobs[job.call] = job
        (self._queue if job.wanted else self._gifts).append(job)

    def _settle(self, job: _Job, outcome: Outcome | None) -> Iterator[Action[Outcome]]:
        if job.wanted and outcome is None:  # a gift that somebody has asked for meanwhile
            job.runner = None
            self._queue.appendleft(job)
            return
        del self._jobs[job.call]
        if job.wanted and outcome is not None:
            yield Resolve(job.call, outcome)

    def _is_anything_wanted(self) -> bool:
        """Tell whether gifts serve anybody: else each could bring forth others, for ever."""
        return any(job.wanted for job in self._jobs.values())

    def _drop_gifts_of(self, giver: Worker) -> None:
        """Forget what `giver` left to others, nobody has begun, and nobody is left to want."""
        for job in self._gifts:
            if job.giver == giver:
                self._drop(job)

    def _drop_gifts(self) -> None:
        for job in self._gifts:
            self._drop(job)
        self._gifts.clear()

    def _drop(self, gift: _Job) -> None:
        if self._jobs.get(gift.call) is gift and gift.runner is None and not gift.wanted:
            del self._jobs[gift.call]

    def _hand_out(self) -> Iterator[Action[Outcome]]:
        """Send what is queued to those who listen, the idle ones first."""
        if self._gifts and not self._is_anything_wanted():
            self._drop_gifts()
        for queue in (self._gifts, self._queue):
            while self._clear_away(queue):
                job = queue[0]
                worker = self._worker_for(job)
                if worker is None:
                    break
                queue.popleft()
                job.runner = worker
                station = self._stations[worker]
                station.jobs.append(job)
                station.listening = False
                yield Begin(worker, job.call, job.wanted)

    def _clear_away(self, queue: deque[_Job]) -> bool:
        """Tell whether a call is queued, clearing away those that were begun or dropped."""
        while queue:
            job = queue[0]
            if job.runner is None and self._jobs.get(job.call) is job:
                return True
            queue.popleft()
        return False

    def _worker_for(self, job: _Job) -> Worker | None:
        """Return who can begin a call: one with nothing begun, else one that waits."""
        waiting = None
        for worker, station in self._stations.items():
            if station.listening:
                if not station.jobs:
                    return worker
                waiting = worker
        return waiting if waiting is not None and self._is_light(job.call) else None
