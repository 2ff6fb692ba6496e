"""What a writer was doing when it was killed: numbers in a file that outlives it."""

from __future__ import annotations

import mmap
import os
import struct
from contextlib import contextmanager

from pyspeedup.memory._content import Content
from pyspeedup.memory._dict.content import DictContent
from pyspeedup.memory._storage.volume import Volume

NAMES = (
    *("steps_begun", "steps_done"),
    *("commits_begun", "commits_done", "pages_waiting"),
    *("compactions_begun", "compactions_done"),
    *("transactions_begun", "transactions_done"),
    *("steps_synced", "steps_kept"),
)
"""Of these, `steps_kept` were done when the last commit began, and `pages_waiting` are written since."""
KINDS = ("dict", "list")
LAYOUT = struct.Struct(f"={len(KINDS) * len(NAMES)}Q")


class Counters:
    """The numbers of one structure, by name."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __getitem__(self, name):
        return self.numbers[NAMES.index(name)]

    def __setitem__(self, name, number):
        self.numbers[NAMES.index(name)] = number

    def is_within(self, what):
        """Tell whether one of the `what` had begun and was not done."""
        return self[f"{what}_begun"] > self[f"{what}_done"]

    @contextmanager
    def within(self, what):
        self[f"{what}_begun"] += 1
        yield
        self[f"{what}_done"] += 1


def begin_journal(path):
    """Make the file, with zeros, and return the counters of each kind that write to it."""
    path.write_bytes(bytes(LAYOUT.size))
    descriptor = os.open(path, os.O_RDWR)
    numbers = memoryview(mmap.mmap(descriptor, LAYOUT.size)).cast("Q")
    os.close(descriptor)
    return _by_kind(numbers)


def read_journal(path):
    """Return the counters of each kind as they were at the end."""
    return _by_kind(LAYOUT.unpack(path.read_bytes()))


def _by_kind(numbers):
    each = len(NAMES)
    return {kind: Counters(numbers[at * each :][:each]) for at, kind in enumerate(KINDS)}


def watch(counters, at_commit):
    """Count what contents and volumes do from here on; `at_commit` is called as each commit begins."""
    _watch_volumes(counters, at_commit)
    _watch_contents(counters)


def _watch_volumes(counters, at_commit):
    commit, write = Volume.commit, Volume.write

    def counted_commit(self, state, *, durable=False):
        mine = counters[self.kind]
        done = mine["steps_done"]
        with mine.within("commits"):
            at_commit()
            commit(self, state, durable=durable)
        mine["steps_kept"] = done
        mine["pages_waiting"] = 0

    def counted_write(self, page, data):
        counters[self.kind]["pages_waiting"] += 1
        write(self, page, data)

    Volume.commit, Volume.write = counted_commit, counted_write


def _watch_contents(counters):
    compact, transaction = DictContent.compact, Content.transaction

    def counted_compact(self):
        with counters["dict"].within("compactions"):
            compact(self)

    @contextmanager
    def counted_transaction(self):
        mine = counters[self.volume.kind]
        mine["transactions_begun"] += 1
        try:
            with transaction(self):
                yield
        finally:
            mine["transactions_done"] += 1

    DictContent.compact, Content.transaction = counted_compact, counted_transaction
