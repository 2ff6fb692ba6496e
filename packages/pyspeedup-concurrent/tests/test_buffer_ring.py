"""Frames come out of shared memory whole, in order and once, whatever their sizes."""

from __future__ import annotations

import mmap
import random
from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspeedup.concurrent._buffering import ring
from pyspeedup.concurrent._buffering.ring import Reader, Writer


class Memory:
    """Stands for shared memory: a budget of bytes that can be had, and whether any was used without."""

    def __init__(self, size=4 << 20, budget=1 << 62):
        self.size = size
        self.buffer = mmap.mmap(-1, size)
        self.budget = budget
        self.reserved = 0

    def reserve(self, start, size):
        assert start == self.reserved
        if start + size > self.budget:
            raise OSError(28, "No space left on device")
        self.reserved = start + size


@pytest.fixture
def make_ends():
    """Make both ends of rings that are closed when the test is over."""
    made = []

    def make_ends(**arguments):
        memory = Memory(**arguments)
        ring.prepare(memory)
        made.append((Writer(memory), Reader(memory), memory))
        return made[-1]

    yield make_ends
    for writer, reader, memory in made:
        writer.close()
        reader.close()
        memory.buffer.close()  # which fails if a view of it is left


def content(number, size):
    return random.Random(number).randbytes(size)


def write(writer, number, size):
    data = content(number, size)
    middle = size // 2
    parts = [data[:middle], memoryview(data)[middle:]]
    return writer.write(ring.RUN, number, size % 7, parts, size)


class Inbox:
    """Takes frames, and compares each with what was written."""

    def __init__(self):
        self.written = deque()
        self.accepted = 0

    def __call__(self, kind, start, count, payload):
        number, size = self.written.popleft()
        assert (kind, start, count) == (ring.RUN, number, size % 7)
        assert bytes(payload) == content(number, size)
        self.accepted += 1


sizes = st.one_of(st.integers(0, 200), st.integers(0, 1 << 16), st.integers(1 << 18, 1 << 20))


@given(st.lists(st.tuples(st.booleans(), sizes), max_size=60))
def test_frames_come_as_they_were_written(steps):
    memory = Memory()
    ring.prepare(memory)
    writer, reader, inbox = Writer(memory), Reader(memory), Inbox()
    for number, (writes, size) in enumerate(steps):
        if writes and write(writer, number, size):
            inbox.written.append((number, size))
        elif not writes:
            reader.read(inbox, size + 1)
    while reader.read(inbox, 1 << 20):
        pass
    assert not inbox.written
    assert writer.words[ring.RELEASED] == writer.words[ring.WRITTEN]
    last = len(steps)
    assert write(writer, last, writer.largest)  # since all was released
    inbox.written.append((last, writer.largest))
    assert reader.read(inbox, 1) == writer.largest + 1


@settings(max_examples=10)
@given(st.lists(st.integers(0, 3000), min_size=5, max_size=20))
def test_a_stream_that_is_read_at_once_keeps_to_a_few_pages(stream):
    memory = Memory()
    ring.prepare(memory)
    writer, reader, inbox = Writer(memory), Reader(memory), Inbox()
    for number, size in enumerate(stream * 40):
        assert write(writer, number, size)
        inbox.written.append((number, size))
        assert reader.read(inbox, 1)
    assert memory.reserved <= ring.WORDS + 2 * ring.COMFORT


def test_there_is_room_again_when_the_reader_says_so(make_ends):
    writer, reader, _ = make_ends(size=ring.WORDS + (1 << 17))
    inbox = Inbox()
    number = 0
    while write(writer, number, 10_000):
        inbox.written.append((number, 10_000))
        number += 1
    enough = writer.room_after
    assert reader.released < enough
    while reader.released < enough:
        assert reader.read(inbox, 1)
    assert write(writer, number, 10_000)
    inbox.written.append((number, 10_000))
    while reader.read(inbox, 1):
        pass
    assert inbox.accepted == number + 1


def test_an_interrupted_frame_is_given_again(make_ends):
    writer, reader, _ = make_ends()
    assert write(writer, 0, 100)
    assert write(writer, 1, 100)
    seen = []

    def accept(kind, start, count, payload):
        seen.append(start)
        if len(seen) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reader.read(accept, 1000)
    assert reader.read(accept, 1000) == 202
    assert seen == [0, 0, 1]


def test_without_memory_the_frames_under_way_make_room(make_ends):
    writer, reader, _ = make_ends(budget=ring.WORDS + ring.SMALLEST)
    inbox = Inbox()
    assert write(writer, 0, 40_000)
    assert not write(writer, 1, 40_000)  # no error, though there is no memory for more
    inbox.written.append((0, 40_000))
    assert reader.read(inbox, 1)
    assert write(writer, 1, 40_000)


def test_a_frame_for_which_there_is_no_memory_at_all_is_an_error_and_the_next_is_none(make_ends):
    writer, reader, _ = make_ends(budget=ring.WORDS + ring.SMALLEST)
    with pytest.raises(OSError, match="No space left"):
        write(writer, 0, 1 << 17)
    inbox = Inbox()
    assert write(writer, 1, 1000)
    inbox.written.append((1, 1000))
    assert reader.read(inbox, 1)


def test_no_memory_for_the_least_is_an_error_at_once():
    with pytest.raises(OSError, match="No space left"):
        ring.prepare(Memory(budget=ring.WORDS))


def in_parts(data, most):
    """Return the parts of a frame that carries `data`, as (start, size of the whole, part)."""
    header = bytearray(ring.LINE)
    ring.HEADER.pack_into(header, 0, ring.RUN, 7, 3, len(data))
    whole = bytes(header) + data
    return [(at, len(whole), whole[at : at + most]) for at in range(0, len(whole), most)]


def test_a_frame_in_parts_is_one_wherever_it_is_interrupted(make_ends):
    writer, reader, _ = make_ends()
    data = content(1, 100_000)
    for start, size, part in in_parts(data, 30_000):
        assert writer.write(ring.PART, start, size, [part], len(part))
    seen = []

    def accept(kind, start, count, payload):
        seen.append((kind, start, count, bytes(payload)))
        if len(seen) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reader.read(accept, 1 << 20)
    assert reader.read(accept, 1 << 20)
    assert seen == [(ring.RUN, 7, 3, data)] * 2
    assert not reader.read(accept, 1 << 20)
