"""A writer that is killed at a write, whichever it is, leaves a whole state: each commit that was done.

The kill comes before the write, or when half of it is done: the system may cut a write short between
two of its pages, though never within one. A quick run tries some of the writes, half of them of commits;
HYPOTHESIS_PROFILE=long tries all.
"""

from __future__ import annotations

import mmap
import os
import random
import signal
from functools import partial
from itertools import count, islice

import crash_journal
import crash_writer
import pytest
from crash_remains import Remains
from pyspeedup.memory import _platform
from storage_writer import Folder
from thoroughness import IS_LONG

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this system has no fork, and no signal that cannot be caught"
)

SEED = 8
STEPS = 120
STEPS_A_SYNC = 9
WRITES = {
    "file": (_platform, "write_at"),
    "fsspec": (_platform, "replace_file"),
    "mapping": (Folder, "__setitem__"),
}
STRIDE = 31
PAGE = mmap.PAGESIZE


@pytest.mark.parametrize("page_store", WRITES)
@pytest.mark.parametrize("kind", crash_writer.STRUCTURES)
def test_a_writer_killed_at_a_write_leaves_each_commit_that_was_done(kind, page_store, tmp_path):
    if page_store == "fsspec":
        pytest.importorskip("fsspec")
    kills = within_commits = 0
    for number in count(0, 1 if IS_LONG else STRIDE):
        of_commit = not IS_LONG and number // STRIDE % 2 == 1
        folder = tmp_path / f"write {number}"
        folder.mkdir()
        status = run_until_write(number, kind, folder, page_store, of_commit=of_commit)
        if not status:
            break
        assert status == -signal.SIGKILL, f"the writer failed before write {number}"
        counters = crash_journal.read_journal(folder / "journal")
        Remains(folder, page_store, SEED, 1, counters).whole(kind, [])
        kills += 1
        within_commits += counters[kind].is_within("commits")
    assert kills > 5
    assert within_commits > 0


def run_until_write(number, kind, folder, page_store, *, of_commit):
    """Write in a forked child, and return its exit code: 0 where it came to the end before."""
    child = os.fork()
    if not child:
        status = 1
        try:
            mine = crash_journal.begin_journal(folder / "journal")
            crash_journal.watch(mine, lambda: None)
            die_at(number, *WRITES[page_store], mine[kind] if of_commit else None)
            write(kind, folder, page_store, mine[kind])
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


def die_at(number, holder, name, counters):
    """Let so many writes pass; of the next (of a commit, if there are `counters`) half is done, or none."""
    original = getattr(holder, name)
    writes = count()

    def write(*arguments):
        if next(writes) >= number and (counters is None or counters.is_within("commits")):
            if name == "write_at" and number % 2:
                descriptor, data, offset = arguments
                half = (offset + len(data) // 2) // PAGE * PAGE - offset
                original(descriptor, memoryview(data)[: max(0, half)], offset)
            os.kill(os.getpid(), signal.SIGKILL)
        return original(*arguments)

    setattr(holder, name, write)


def write(kind, folder, page_store, counters):
    """Take some steps, and count them."""
    held = {}
    reopen = partial(crash_writer.open_one, kind, folder, page_store, random.Random(SEED))
    structure = reopen()
    for number, step in enumerate(islice(crash_writer.steps(kind, SEED), STEPS), 1):
        with counters.within("steps"):
            structure = crash_writer.take(step, structure, held, reopen)
        if number % STEPS_A_SYNC == 0:
            structure.sync()
            counters["steps_synced"] = number
    structure.close()
