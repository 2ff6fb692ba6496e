"""What threads of a simulated system wait for: locks, queues, pipes, and any of several pipes."""

from __future__ import annotations

from collections import deque
from queue import Empty
from types import SimpleNamespace


class Lock:
    """A lock, as of `threading`; `again` tells whether its holder may take it once more."""

    def __init__(self, system, *, again=False):
        self.system, self.again = system, again
        self.holder, self.times = None, 0

    def __enter__(self):
        thread = self.system.thread
        if self.times and not (self.again and self.holder is thread):
            self.system.wait_until(lambda: not self.times)
        self.holder = thread
        self.times += 1

    def __exit__(self, *_):
        self.times -= 1


class Queue:
    """A queue, as of `queue`."""

    def __init__(self, system):
        self.system, self.items = system, deque()

    def put(self, item):
        self.items.append(item)

    def get(self, timeout=None):
        deadline = None if timeout is None else self.system.now + timeout
        if not self.system.wait_until(lambda: self.items, deadline):
            raise Empty
        return self.items.popleft()


class Channel:
    """One direction of a pipe."""

    def __init__(self):
        self.messages = deque()
        self.readers = self.writers = 0


class End:
    """One end of a pipe, as of `multiprocessing.connection`."""

    def __init__(self, system, inbox, outbox):
        self.system, self.inbox, self.outbox = system, inbox, outbox
        self.number = next(system.numbers)
        self.closed = False
        self.blocking = True
        system.ends[self.number] = self
        if inbox is not None:
            inbox.readers += 1
        if outbox is not None:
            outbox.writers += 1

    def duplicate(self):
        return End(self.system, self.inbox, self.outbox)

    def close(self):
        if not self.closed:
            self.closed = True
            if self.inbox is not None:
                self.inbox.readers -= 1
            if self.outbox is not None:
                self.outbox.writers -= 1

    def fileno(self):
        return self.number

    def poll(self):
        return bool(self.inbox.messages) or not self.inbox.writers

    def send_bytes(self, data):
        self.system.step()
        if self.closed or not self.outbox.readers:
            raise BrokenPipeError
        self.outbox.messages.append(data)

    def recv_bytes(self):
        self.system.wait_until(self.poll)
        if not self.inbox.messages:
            raise EOFError
        return self.inbox.messages.popleft()


class Selector:
    """As of `selectors`: ends of pipes, and processes that may die."""

    def __init__(self, system):
        self.system, self.sources = system, []

    def register(self, source, events):
        self.sources.append(source)

    def unregister(self, source):
        self.sources.remove(source)

    def select(self, timeout=None):
        deadline = None if timeout is None else self.system.now + timeout
        self.system.wait_until(lambda: any(s.poll() for s in self.sources), deadline)
        return [(SimpleNamespace(fileobj=s), 1) for s in self.sources if s.poll()]

    def close(self):
        self.sources.clear()


class Poll:
    """As of `select`, but it waits for good: what it was to be a net for, must not happen here."""

    def __init__(self, system):
        self.system, self.ends = system, []

    def register(self, descriptor, events):
        self.ends.append(self.system.ends[descriptor])

    def poll(self, timeout=None):
        self.system.wait_until(lambda: any(end.poll() for end in self.ends))
        return [(end.number, 1) for end in self.ends if end.poll()]
