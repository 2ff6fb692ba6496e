"""The engine's real pool, workers, desks, stacks and board in a simulated system, computing a graph of calls.

Nothing of the engine is replaced but what it asks of the system: threads, pipes, processes and the
time. What is computed looks at itself: a call begins only where its caller, or nobody, stands below it.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import pickle
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass
from types import SimpleNamespace
from unittest import mock

from pyspeedup.concurrent._caching import (
    board,
    board_memory,
    courier,
    desk,
    hand,
    inbox,
    meanings,
    messages,
    pool,
    seats,
    stacks,
    vigil,
    worker,
)
from pyspeedup.core import WorkerError
from simulated_system import Instead, System

FUNCTIONS = (1, 2)
PROBE = 3
DEEPEST = 16
"""So many calls on one stack, and it is too deep: a ring of calls."""
ALIVE = messages.Alive(frozenset(), 0)
MODULUS = 1_000_003
STEPS_ON_THE_BOARD = ("abandon", "claim", "is_waiting", "look", "publish", "unwait", "wait")

_worlds = {}
_numbers = itertools.count()


class NodeError(Exception):
    """What a node fails with."""


@dataclass(frozen=True)
class Node:
    """One call: what it needs in turn, what it hints at before, how long it takes by itself."""

    needs: tuple[int, ...] = ()
    hints: tuple[int, ...] = ()
    seconds: float = 0.0
    fails: bool = False
    function: int = 1


def expected(nodes, number, path=()):
    """Return what a node comes to, computed without any of the code under test."""
    if number in path:
        raise RecursionError
    total = number + 1
    for need in nodes[number].needs:
        total = (31 * total + expected(nodes, need, (*path, number))) % MODULUS
    if nodes[number].fails:
        raise NodeError(number)
    return total


def outcome_of(compute):
    """Return a value, or the type and arguments of an error."""
    try:
        return compute()
    except RecursionError:
        return RecursionError
    except Exception as error:  # noqa: BLE001 -- whatever it is, it is the outcome
        return type(error), error.args


class Making:
    """A function on its way to a worker, which makes one of its own."""

    def __init__(self, world, number, generation):
        self.arguments = world, number, generation

    def __reduce__(self):
        return make_function, self.arguments


def make_function(world, number, generation):
    world = _worlds[world]
    if number == PROBE:
        return lambda n: world.meet()
    return lambda n: world.evaluate(n, generation)


class World:
    """A pool of simulated workers; `choose` decides in which order things happen."""

    def __init__(self, nodes, workers, choose, *, roomy=True):
        self.nodes, self.workers, self.roomy = nodes, workers, roomy
        self.number = next(_numbers)
        self.system = System(choose)
        self.generations = {}
        self.renewed = {}
        self.begun = Counter()
        self.seen = Counter()
        self.kills = 0
        self.faults = []
        self.met = 0
        self.futures = []
        self.serials = itertools.count()

    def __enter__(self):
        _worlds[self.number] = self
        self._patches = contextlib.ExitStack()
        self._patches.callback(_worlds.pop, self.number)
        for module, names in self._meanings().items():
            self._patches.enter_context(mock.patch.multiple(module, **names))
        try:
            self.pool = pool.Pool(
                self.workers, self.shipment_of, lambda: hand.Tidings(self.renewed, ALIVE)
            )
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, kind=None, error=None, where=None):
        with self._patches:
            self.system.end()
            if kind is not None:
                self.system.reap()
                self.pool.close()

    # What the engine's modules are given instead of the system --------------------------------

    def _meanings(self):
        system = self.system
        threads = {"Thread": system.thread_class, "Lock": system.lock, "RLock": system.rlock}
        pipes = Instead(pool.connection, Pipe=system.pipe)
        clock = SimpleNamespace(perf_counter=system.clock)
        files = {"read": system.read, "write": system.write, "set_blocking": system.set_blocking}
        return {
            pool: {
                "children": Instead(pool.children, start_child=system.start_child),
                "connection": pipes,
                "selectors": Instead(pool.selectors, DefaultSelector=system.selector),
                "Vigil": functools.partial(vigil.Vigil, clock=system.time),
            },
            courier: {"threading": Instead(courier.threading, **threads)},
            inbox: {
                "connection": pipes,
                "os": Instead(inbox.os, **files),
                "threading": Instead(inbox.threading, **threads),
            },
            seats: {
                "BoardMemory": self._board_memory,
                "connection": pipes,
                "os": Instead(seats.os, **files),
            },
            worker: {
                "_here": _Here(self),
                "messages": Instead(worker.messages, send=self._send),
                "os": Instead(worker.os, **files),
                "select": Instead(worker.select, poll=system.poll),
                "start_thread": system.start_thread,
                "sys": Instead(worker.sys, setrecursionlimit=lambda limit: None),
                "threading": Instead(worker.threading, **threads),
                "time": clock,
            },
            stacks: {
                "SimpleQueue": system.queue,
                "start_thread": self._start_stack,
            },
            hand: {"messages": Instead(hand.messages, send=self._send)},
            desk: {"threading": Instead(desk.threading, **threads), "time": clock},
            meanings: {"shipping": Instead(meanings.shipping, set_meaning=lambda *_: None)},
            board.Board: {
                name: self._as_a_step(getattr(board.Board, name))
                for name in STEPS_ON_THE_BOARD
                if hasattr(board.Board, name)
            },
        }

    def _board_memory(self, size):
        self.memory = board_memory.BoardMemory(
            size, buckets=64 if self.roomy else 1, log=1 << (16 if self.roomy else 12)
        )
        return self.memory

    def _start_stack(self, target):
        self.seen["stack beside another"] += 1
        return self.system.start_thread(target)

    def _send(self, connection, message):
        self.seen[type(message).__name__] += 1
        self.seen["news"] += isinstance(message, messages.Begin) and bool(message.news)
        messages.send(connection, message)

    def _as_a_step(self, method):
        @functools.wraps(method)
        def stepped(board, *args, **kwargs):
            self.system.step()
            if method.__name__ == "publish":
                self._check_form(*args)
            found = method(board, *args, **kwargs)
            self._note(method.__name__, found)
            return found

        return stepped

    def _note(self, name, found):
        if name == "wait":
            self.seen[found.name] += 1
        elif name == "claim":
            self.seen["claim" if found is None else f"{type(found).__name__} already"] += 1
            self.seen["late claim"] += found is None and self.system.thread.is_first

    def _check_form(self, name, data, _seconds):
        """What the others are told of is of the form of the function that it is told under, or of a newer one."""
        computed, form = self.system.thread.computed
        if data is not None and form is not None:
            function, generation, key = pickle.loads(name)
            if key == (computed,) and form < generation:
                self.faults.append(f"{key} of {function} in form {form} is told of as {generation}")

    # What is computed -------------------------------------------------------------------------

    def evaluate(self, number, form):
        """Compute a node, in a worker."""
        thread, node = self.system.thread, self.nodes[number]
        frames = thread.frames
        if frames and frames[-1][1] != number:
            self.faults.append(f"{number} begins on top of {frames}")
        if len(frames) >= DEEPEST:
            raise RecursionError
        self.begun[number] += 1
        frames.append([number, None])
        try:
            return self._evaluate(node, number, frames[-1])
        finally:
            frames.pop()
            thread.computed = number, form

    def _evaluate(self, node, number, frame):
        self.system.compute(node.seconds / 2)
        for hint in node.hints:
            self.local(hint).apply_async(hint)
        total = number + 1
        for need in node.needs:
            frame[1] = need
            total = (31 * total + self.local(need)(need)) % MODULUS
        frame[1] = None
        self.system.compute(node.seconds / 2)
        if node.fails:
            raise NodeError(number)
        return total

    def local(self, node):
        """Return what the name of a node's function means in the present worker."""
        number = self.nodes[node].function
        known = self.system.process.worker.meanings
        if number not in known:  # it comes along with what calls it, as it was at first
            known.shell(_identity(number), "")
            form = make_function(self.number, number, 0)
            known.fill(_identity(number), form, "f", (number, 0))
        return known[number].local

    def meet(self):
        """Wait until as many calls as there are workers are computed at the same time."""
        self.met += 1
        self.system.wait_until(lambda: self.met >= self.workers)

    # What the program does --------------------------------------------------------------------

    def shipment_of(self, call):
        if self.generations.get(call.number, 0) != call.generation:
            return None
        return self._shipment(call.number)

    def _shipment(self, number):
        generation = self.generations.get(number, 0)
        data = pickle.dumps(Making(self.number, number, generation))
        return messages.Shipment(number, generation, "f", None, _identity(number), "", data)

    def submit(self, node):
        """Want a node."""
        number = self.nodes[node].function
        packed = messages.pack(((node,), {}), "a node")
        self._submit(messages.Call(number, self.generations.get(number, 0), packed), [node])

    def submit_batch(self, nodes):
        """Want several nodes of one function, as one."""
        number = self.nodes[nodes[0]].function
        packed = messages.pack_all([(node,) for node in nodes], "nodes")
        generation = self.generations.get(number, 0)
        self._submit(messages.BatchCall(number, generation, packed, next(self.serials)), nodes)

    def _submit(self, call, nodes):
        for number, known in self.renewed.items():
            if not known.data:
                self.renewed = {**self.renewed, number: self._shipment(number)}
        job = pool.Job(call, self._shipment(call.number), Future())
        assert self.pool.submit(job)
        self.futures.append((nodes, job))

    def cancel(self, index):
        """Want one call no more."""
        if self.futures:
            _, job = self.futures[index % len(self.futures)]
            self.seen["cancellation"] += job.future.cancel()
            if job.future.cancelled():
                self.pool.cancel(job)

    def forget(self, number):
        """Begin a new generation of a function."""
        self.generations = {**self.generations, number: self.generations.get(number, 0) + 1}
        self.renewed = {**self.renewed, number: self._shipment(number)._replace(data=b"")}
        self.seen["forgetting"] += 1

    def kill(self, index):
        """Kill a worker, wherever it is."""
        processes = {id(t.process): t.process for t in self.system.living()}
        del processes[id(self.system.engine)]
        if processes:
            victim = [*processes.values()][index % len(processes)]
            busy = any(t.frames for t in self.system.living() if t.process is victim)
            self.seen["death of who computes"] += busy
            victim.end()
            self.kills += 1

    # What must hold ---------------------------------------------------------------------------

    def finish(self):
        """Wait for all answers, and look at them, at the board, and at the workers."""
        self.system.run(lambda: all(job.future.done() for _, job in self.futures))
        assert not self.faults, self.faults
        self._check_answers()
        self._settle()
        self._check_board()
        self._check_workers()
        self.pool.close()

    def _settle(self):
        while self.system.run_step():
            pass

    def _check_answers(self):
        for nodes, job in self.futures:
            if job.future.cancelled():
                continue
            is_batch = isinstance(job.call, messages.BatchCall)
            found = outcome_of(job.future.result)
            if self.kills > 1 and isinstance(found, tuple) and found[0] is WorkerError:
                continue
            if is_batch:
                self._check_batch(nodes, found)
            else:
                right = outcome_of(lambda nodes=nodes: expected(self.nodes, nodes[0]))
                assert found == right, f"{nodes[0]} came to {found}, not {right}"

    def _check_batch(self, nodes, found):
        right = [outcome_of(functools.partial(expected, self.nodes, node)) for node in nodes]
        good = [*itertools.takewhile(lambda value: isinstance(value, int), right)]
        assert found.values == good
        assert (found.error is None) == (len(good) == len(right))

    def _check_board(self):
        words = self.memory.words
        for place in range(self.workers):
            start = self.memory.place_at(place) + board_memory.WAITS
            waits = [words[start + 3 * wait] for wait in range(self.memory.waits)]
            assert not any(waits), "a stack still waits"
        for bucket in range(self.memory.buckets):
            first = self.memory.bucket_at(bucket) + board_memory.STATES
            for state in words[first : first + board_memory.SLOTS]:
                is_claim = state & 3 == board_memory.RUNNING and self.memory.is_alive(state)
                assert not is_claim, "a claim is left"

    def _check_workers(self):
        """Hold every worker to listen: as many calls as there are workers can run at a time."""
        for number in range(self.workers):
            packed = messages.pack(((number,), {}), "a number")
            self._submit(messages.Call(PROBE, 0, packed), [])
        probes = self.futures[-self.workers :]
        self.system.run(lambda: all(job.future.done() for _, job in probes))
        assert self.met == self.workers


class _Here:
    """Which worker this is, for each process."""

    def __init__(self, world):
        self._world = world
        self.at_start = ()

    @property
    def worker(self):
        return self._world.system.process.worker

    @worker.setter
    def worker(self, worker):
        self._world.system.process.worker = worker


def _identity(number):
    return f"function {number}"
