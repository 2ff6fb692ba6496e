"""Who computes which call: what is queued, running, done and waited for. No process and no I/O in it.

The owner tells it what happened, each method being one event, and does what the returned actions
say. Calls, workers and outcomes are opaque: calls and workers need only be hashable.

A worker computes on *stacks*. On each of them every frame is a direct caller of the next, and a
stack that needs a call which runs elsewhere waits for it. While one of its stacks waits, a worker may
begin another call on a fresh one, up to `stacks` of them. A worker is *open* while it listens: it is
sent one message then (`Begin` or `Reply`), and no other until it listens again. So nobody sends to
somebody who does not read, however large the messages are.

No ring of waits can form, because each wait is checked before it begins; the last of a ring computes on
the spot. See "Why this cannot deadlock" in the design notes.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

__all__ = ["Action", "Begin", "Dispatcher", "Reply", "Resolve", "Verdict"]

Call: TypeAlias = "Hashable"
Worker: TypeAlias = "Hashable"
Outcome = TypeVar("Outcome")

MOST_DEATHS = 2
"""A call that so many workers had begun and died over is not begun again."""
MOST_LOSSES = 10
"""Nor one that went so often to a worker that died unread: it may be too large for any of them."""


class Verdict(Enum):
    """What a stack that asked for a call is told."""

    ANSWER = "here is the outcome"
    COMPUTE = "compute it on the spot; nobody else wants to know"
    COMPUTE_AND_TELL = "compute it on the spot, and tell: somebody else may wait for it"


@dataclass(frozen=True, slots=True)
class Begin:
    """Send `call` to `worker`, which is idle, to be computed on a fresh stack."""

    worker: Worker
    stack: int
    call: Call


@dataclass(frozen=True, slots=True)
class Reply(Generic[Outcome]):
    """Send the answer of what `stack` of `worker` asked."""

    worker: Worker
    stack: int
    verdict: Verdict
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Resolve(Generic[Outcome]):
    """Hand the outcome to whoever submitted `call`."""

    call: Call
    outcome: Outcome


Action: TypeAlias = "Begin | Reply[Outcome] | Resolve[Outcome]"


@dataclass(eq=False, slots=True)
class _Job:
    """A call that is queued (no runner) or running."""

    call: Call
    wanted: bool = False
    runner: int | None = None
    waiting: list[int] = field(default_factory=list)
    givers: set[int] = field(default_factory=set)
    deaths: int = 0
    losses: int = 0


@dataclass(slots=True)
class _Stack:
    worker: Worker
    jobs: list[_Job]
    waits_for: _Job | None = None
    gave: list[_Job] = field(default_factory=list)


@dataclass(slots=True)
class _Station(Generic[Outcome]):
    """A worker, as seen from here."""

    listening: bool = True
    stacks: set[int] = field(default_factory=set)
    replies: deque[Reply[Outcome]] = field(default_factory=deque)
    last: Begin | Reply[Outcome] | None = None
    """What it was sent last; all before that it has heard."""


class Dispatcher(Generic[Outcome]):
    """The state machine; see the module. `remembered` outcomes are kept for those who ask late.

    >>> dispatcher = Dispatcher()
    >>> dispatcher.add_worker("w")
    []
    >>> dispatcher.submit("f(3)")
    [Begin(worker='w', stack=1, call='f(3)')]
    >>> dispatcher.finish(1, "f(3)", "six", failed=False)
    [Resolve(call='f(3)', outcome='six')]
    """

    def __init__(self, *, stacks: int = 1, remembered: int = 4096) -> None:
        """Start without workers and calls."""
        self._most_stacks = stacks
        self._most_remembered = remembered
        self._done: OrderedDict[Call, Outcome] = OrderedDict()
        self._jobs: dict[Call, _Job] = {}
        self._queue: deque[_Job] = deque()
        self._stacks: dict[int, _Stack] = {}
        self._stations: dict[Worker, _Station[Outcome]] = {}
        self._numbers = itertools.count(1)

    @property
    def hungry(self) -> bool:
        """Whether a worker could begin a call and there is none."""
        return not self._jobs_queued() and self._idle_worker() is not None

    @property
    def settled(self) -> bool:
        """Whether nothing is queued or running."""
        return not self._jobs

    def stacks_of(self, worker: Worker) -> frozenset[int]:
        """Return the stacks that `worker` has begun and not ended."""
        return frozenset(self._stations[worker].stacks)

    # Events -----------------------------------------------------------------------------------

    def add_worker(self, worker: Worker) -> list[Action[Outcome]]:
        """`worker` listens for its first call."""
        self._stations[worker] = _Station()
        return [*self._hand_out()]

    def submit(self, call: Call) -> list[Action[Outcome]]:
        """Somebody outside wants `call`; there will be one `Resolve` of it."""
        if call in self._done:
            return [Resolve(call, self._done[call])]
        job = self._jobs.get(call) or self._enqueue(call)
        job.wanted = True
        return [*self._hand_out()]

    def give(self, stack: int, calls: Iterable[Call]) -> list[Action[Outcome]]:
        """`stack` will want `calls` and leaves them to whoever is idle."""
        giver = self._stacks[stack]
        for call in calls:
            if call in self._done:
                continue
            job = self._jobs.get(call) or self._enqueue(call)
            job.givers.add(stack)
            giver.gave.append(job)
        return [*self._hand_out()]

    def ask(self, stack: int, call: Call) -> list[Action[Outcome]]:
        """`stack` needs `call` now, and listens."""
        asker = self._stacks[stack]
        job = self._jobs.get(call)
        if call in self._done:
            return [self._send(Reply(asker.worker, stack, Verdict.ANSWER, self._done[call]))]
        if job is None or self._closes_ring(stack, job):
            return [self._send(Reply(asker.worker, stack, Verdict.COMPUTE))]
        if job.runner is None:
            self._take_over(stack, job)
            return [self._send(Reply(asker.worker, stack, Verdict.COMPUTE_AND_TELL))]
        job.waiting.append(stack)
        asker.waits_for = job
        self._stations[asker.worker].listening = True
        return [*self._hand_out()]

    def finish(
        self, stack: int, call: Call, outcome: Outcome, *, failed: bool
    ) -> list[Action[Outcome]]:
        """`stack` has computed a call that it had to tell of; its worker listens if that was the first.

        A failure reaches those who wait and is not remembered.
        """
        runner = self._stacks[stack]
        job = self._jobs[call]
        runner.jobs.remove(job)
        if not failed:
            self._remember(call, outcome)
        actions = [*self._answer(job, outcome)]
        if not runner.jobs:
            self._end_stack(stack)
            self._stations[runner.worker].listening = True
        return [*actions, *self._hand_out()]

    def remove_worker(
        self, worker: Worker, outcome: Outcome, *, heard: bool = True
    ) -> list[Action[Outcome]]:
        """`worker` is dead: begin its calls once more, or answer them with `outcome`.

        `heard` tells whether it had read the last message to it: a call is charged with the death
        only of a worker that knew of it.
        """
        station = self._stations.pop(worker)
        lost = [job for stack in station.stacks for job in self._stacks[stack].jobs]
        untold = {*self._begun_by(station.replies)}
        unread = set() if heard or station.last is None else {*self._begun_by([station.last])}
        for stack in [*station.stacks]:
            self._end_stack(stack)
        actions: list[Action[Outcome]] = []
        for job in lost:
            job.runner = None
            job.losses += job in unread
            job.deaths += job not in unread and job not in untold
            if job.deaths >= MOST_DEATHS or job.losses >= MOST_LOSSES:
                actions += self._answer(job, outcome)
            else:
                self._begin_again(job)
        return [*actions, *self._hand_out()]

    def forget(self, calls: Iterable[Call]) -> None:
        """Remember the outcomes of `calls` no longer; unknown ones are no error."""
        for call in calls:
            self._done.pop(call, None)

    def remembered(self) -> list[Call]:
        """Return the calls whose outcome is remembered, in O(their number)."""
        return [*self._done]

    # How it is done ---------------------------------------------------------------------------

    def _enqueue(self, call: Call) -> _Job:
        job = self._jobs[call] = _Job(call)
        self._queue.append(job)
        return job

    def _remember(self, call: Call, outcome: Outcome) -> None:
        self._done[call] = outcome
        while len(self._done) > self._most_remembered:
            self._done.popitem(last=False)

    def _closes_ring(self, stack: int, job: _Job) -> bool:
        """Tell whether `job` cannot go on before `stack` does."""
        while job.runner is not None and job.runner != stack:
            awaited = self._stacks[job.runner].waits_for
            if awaited is None:
                return False
            job = awaited
        return job.runner == stack

    def _take_over(self, stack: int, job: _Job) -> None:
        job.runner = stack
        self._stacks[stack].jobs.append(job)
        self._stacks[stack].waits_for = None

    def _answer(self, job: _Job, outcome: Outcome) -> Iterator[Action[Outcome]]:
        del self._jobs[job.call]
        for stack in job.waiting:
            self._stacks[stack].waits_for = None
            self._reply_later(stack, Verdict.ANSWER, outcome)
        if job.wanted:
            yield Resolve(job.call, outcome)

    def _begun_by(self, messages: Iterable[Begin | Reply[Outcome]]) -> Iterator[_Job]:
        """Yield the jobs that a worker begins when it reads `messages`."""
        for message in messages:
            if isinstance(message, Begin) or message.verdict is Verdict.COMPUTE_AND_TELL:
                yield self._stacks[message.stack].jobs[-1]

    def _send(self, message: Begin | Reply[Outcome]) -> Begin | Reply[Outcome]:
        station = self._stations[message.worker]
        station.listening = False
        station.last = message
        return message

    def _reply_later(self, stack: int, verdict: Verdict, outcome: Outcome | None = None) -> None:
        """Have a parked stack told when its worker listens, which may be busy on another stack."""
        worker = self._stacks[stack].worker
        self._stations[worker].replies.append(Reply(worker, stack, verdict, outcome))

    def _end_stack(self, stack: int) -> None:
        ended = self._stacks.pop(stack)
        self._stations_of(ended.worker).discard(stack)
        if ended.waits_for is not None:
            ended.waits_for.waiting.remove(stack)
        for job in ended.gave:
            job.givers.discard(stack)
            self._drop_if_useless(job)

    def _stations_of(self, worker: Worker) -> set[int]:
        station = self._stations.get(worker)
        return station.stacks if station is not None else set()

    def _drop_if_useless(self, job: _Job) -> None:
        """Forget what was given away, was not begun, and nobody is left to want."""
        useless = job.runner is None and not (job.wanted or job.waiting or job.givers)
        if useless and self._jobs.get(job.call) is job:
            del self._jobs[job.call]

    def _begin_again(self, job: _Job) -> None:
        """Let one who waits for a dead worker's call compute it: a new worker may never come."""
        if job.waiting:
            stack = job.waiting.pop(0)
            self._take_over(stack, job)
            self._reply_later(stack, Verdict.COMPUTE_AND_TELL)
        else:
            self._queue.appendleft(job)
            self._drop_if_useless(job)

    def _hand_out(self) -> Iterator[Action[Outcome]]:
        """Send each listening worker what it waits for, and the idle ones what is queued."""
        for station in self._stations.values():
            if station.listening and station.replies:
                yield self._send(station.replies.popleft())
        while self._jobs_queued() and (worker := self._idle_worker()) is not None:
            job = self._queue.popleft()
            stack = next(self._numbers)
            job.runner = stack
            self._stacks[stack] = _Stack(worker, [job])
            self._stations[worker].stacks.add(stack)
            yield self._send(Begin(worker, stack, job.call))

    def _jobs_queued(self) -> bool:
        """Tell whether a call is queued, clearing away those that were taken back or dropped."""
        while self._queue:
            job = self._queue[0]
            if job.runner is None and self._jobs.get(job.call) is job:
                return True
            self._queue.popleft()
        return False

    def _idle_worker(self) -> Worker | None:
        """Return a worker that can begin a call, one with nothing parked if there is one."""
        idle = [
            (len(station.stacks), worker)
            for worker, station in self._stations.items()
            if station.listening and not station.replies and len(station.stacks) < self._most_stacks
        ]
        return min(idle, key=lambda found: found[0])[1] if idle else None
