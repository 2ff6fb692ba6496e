"""A simulated system: threads that run one step at a time, pipes that are lists, a clock that is a number.

The code under test runs in real threads, but whatever it would wait for, it asks of a `System`, which lets
exactly one thread go on at a time, in an order that `choose` decides. So everything that happens can be
played again, a process can die between any two steps, and "everybody waits" is seen at once.
"""

from __future__ import annotations

import itertools
import sys
import threading
import traceback

from simulated_waiting import Channel, End, Lock, Poll, Queue, Selector

MOST_STEPS = 100_000
MOST_JUMPS = 100
"""So often nothing but the time may go by before it is said that everybody waits for ever."""
PATIENCE = 60
"""Seconds that a step may take, in earnest."""


class Gone(BaseException):
    """Ends a thread at the end of its system."""


class StuckError(AssertionError):
    """Everybody waits, and nothing will ever happen."""


class EndlessError(AssertionError):
    """There is no end to it."""


def always():
    return True


class Instead:
    """A module in which some names mean something else."""

    def __init__(self, original, **others):
        self.__dict__.update(others)
        self._original = original

    def __getattr__(self, name):
        return getattr(self._original, name)


class Process:
    """What threads belong to; `clock` says how long it has computed."""

    def __init__(self, system, name="engine"):
        self.system = system
        self.name = name
        self.pid = next(system.numbers)
        self.dead = False
        self.exitcode = None
        self.clock = 0.0
        self.ends = []
        self.worker = None

    # As a child, and as its own sentinel.

    @property
    def sentinel(self):
        return self

    def poll(self):
        return self.dead

    def is_alive(self):
        return not self.dead

    def join(self, timeout=None):
        assert self.dead or timeout is not None, "joined while it lives"

    def end(self):
        if not self.dead:
            self.dead, self.exitcode = True, -9
            for end in self.ends:
                end.close()


class SimulatedThread:
    """A real thread that runs when its system says so."""

    def __init__(self, system, target, process):
        self.system, self.target, self.process = system, target, process
        self.ready, self.deadline = always, None
        self.ended = False
        self.is_first = False
        """Whether it is the thread that a child began with."""
        self.failure = None
        self.frames = []
        self.computed = None, None
        """For whoever wants to know what is on its stack."""
        self.gate = threading.Lock()
        self.gate.acquire()
        self.real = threading.Thread(target=self._run, daemon=True, name=f"of {process.name}")

    def start(self):
        self.system.threads.append(self)
        self.real.start()

    def _run(self):
        self.system.own.thread = self
        self.gate.acquire()
        try:
            if not self.system.ended:
                self.target()
        except Gone:
            pass
        except BaseException as error:  # noqa: BLE001 -- the system raises it
            if not self.system.ended:
                self.failure = error
        finally:
            self.ended = True
            self.system.gate.release()

    def where(self):
        """Return the functions that it is in, the innermost last."""
        frame = sys._current_frames().get(self.real.ident)
        names = (each.f_code.co_name for each, _ in traceback.walk_stack(frame))
        return " ".join(reversed([*names]))

    def can_go_on(self):
        if self.ended or self.process.dead:
            return False
        due = self.deadline is not None and self.deadline <= self.system.now
        return due or self.ready()

    def join(self):
        self.system.wait_until(lambda: self.ended or self.process.dead)


class System:
    """See the module. `choose(n)` returns which of `n` threads goes on."""

    def __init__(self, choose):
        self.choose = choose
        self.numbers = itertools.count(1000)
        self.threads = []
        self.ends = {}
        self.own = threading.local()
        self.gate = threading.Lock()
        self.gate.acquire()
        self.engine = Process(self)
        self.now = 0.0
        self.steps = self.jumps = 0
        self.ended = False

    # From the outside -------------------------------------------------------------------------

    def run(self, until):
        """Let threads go on, one at a time, until something is so."""
        while not until():
            if not self.run_step():
                raise StuckError("everybody waits:\n" + self.describe())

    def run_steps(self, number):
        for _ in range(number):
            if not self.run_step():
                return

    def run_step(self):
        """Let one thread go on; False if all wait for ever."""
        able = [thread for thread in self.threads if thread.can_go_on()]
        while not able:
            deadlines = [t.deadline for t in self.living() if t.deadline is not None]
            self.jumps += 1
            if not deadlines or self.jumps > MOST_JUMPS:
                return False
            self.now = max(self.now, min(deadlines))
            able = [thread for thread in self.threads if thread.can_go_on()]
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise EndlessError(f"{self.steps} steps:\n" + self.describe())
        self.resume(able[self.choose(len(able)) if len(able) > 1 else 0])
        return True

    def resume(self, thread):
        thread.gate.release()
        assert self.gate.acquire(timeout=PATIENCE), f"a thread {thread.process.name} does not step"
        if thread.failure is not None:
            raise thread.failure
        if thread.ended:
            self.threads.remove(thread)

    def living(self):
        return [t for t in self.threads if not t.ended and not t.process.dead]

    def describe(self):
        return "\n".join(f"{t.process.name}: {t.frames} {t.where()}" for t in self.living())

    def end(self):
        """End all threads, also those of dead processes."""
        self.ended = True
        for thread in self.threads:
            while not thread.ended:
                thread.gate.release()
                assert self.gate.acquire(timeout=PATIENCE), "a thread does not end"
            thread.real.join(PATIENCE)
        self.threads.clear()

    def reap(self):
        """Let what is done from now on be done at once, for all threads have ended."""
        self.wait_until = lambda *_: True

    # From the threads -------------------------------------------------------------------------

    @property
    def thread(self):
        return getattr(self.own, "thread", None)

    @property
    def process(self):
        thread = self.thread
        return self.engine if thread is None else thread.process

    def step(self):
        if self.thread is not None:
            self.wait_until(always)

    def wait_until(self, ready, deadline=None):
        """Let others go on until something is so, or the time has come; tell whether it is so."""
        thread = self.thread
        if thread is None:
            self.run(ready)
            return True
        if self.ended:
            raise Gone
        thread.ready, thread.deadline = ready, deadline
        self.gate.release()
        thread.gate.acquire()
        if self.ended:
            raise Gone
        thread.ready, thread.deadline = always, None
        return ready()

    def compute(self, seconds):
        """Be busy for a while, during which anything can happen elsewhere."""
        self.jumps = 0
        self.step()
        self.process.clock += seconds
        self.now += seconds

    def clock(self):
        return self.process.clock

    def time(self):
        return self.now

    # What stands for modules ------------------------------------------------------------------

    def start_thread(self, target):
        thread = SimulatedThread(self, target, self.process)
        thread.start()
        return thread

    def thread_class(self, target, name="", daemon=True):
        return SimulatedThread(self, target, self.process)

    def start_child(self, target, args, name, **_):
        process = Process(self, f"{name} {next(self.numbers)}")
        args = [arg.duplicate() if isinstance(arg, End) else arg for arg in args]
        process.ends = [arg for arg in args if isinstance(arg, End)]
        thread = SimulatedThread(self, lambda: target(*args), process)
        thread.is_first = True
        thread.start()
        return process

    def lock(self):
        return Lock(self)

    def rlock(self):
        return Lock(self, again=True)

    def queue(self):
        return Queue(self)

    def pipe(self, duplex=True):
        there, back = Channel(), Channel()
        if duplex:
            return End(self, back, there), End(self, there, back)
        return End(self, there, None), End(self, None, there)

    def selector(self):
        return Selector(self)

    def poll(self):
        return Poll(self)

    def write(self, descriptor, data):
        self.step()
        self.ends[descriptor].outbox.messages.append(data)
        return len(data)

    def read(self, descriptor, size):
        end = self.ends[descriptor]
        if not end.poll():
            if not end.blocking:
                raise BlockingIOError
            self.wait_until(end.poll)
        data = b"".join(end.inbox.messages)
        end.inbox.messages.clear()
        return data

    def set_blocking(self, descriptor, blocking):
        self.ends[descriptor].blocking = blocking
