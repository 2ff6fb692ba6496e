"""A Buffer streams: what an iterator was lent, what may wait, and what two processes owe each other."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import UserDict
from pathlib import Path

import numpy as np
import pytest
from pyspeedup.concurrent import Buffer, halting
from pyspeedup.concurrent._buffering import channel

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture
def lent(make):
    """A Buffer with an iterator in the midst of values that it was lent together."""
    values = make(itertools.count, 64)
    iterator = iter(values)
    assert list(itertools.islice(iterator, 101)) == list(range(101))
    return values, iterator


# Lent values


def test_what_an_iterator_has_given_is_cached_and_nothing_more(lent):
    values, iterator = lent
    assert len(values.cached) == 101
    assert next(iterator) == 101
    assert values.cached[-1] == 101
    assert repr(values) == "<Buffer count: 102 cached, more to come>"


def test_an_iterator_that_is_dropped_leaves_what_it_gave(lent):
    values, iterator = lent
    del iterator
    assert len(values.cached) == 101
    assert values[150] == 150


def test_iterators_and_indexes_go_on_from_each_other(lent):
    values, iterator = lent
    assert values[103] == 103
    assert [next(iterator) for _ in range(6)] == list(range(101, 107))
    assert len(values.cached) == 107
    other = iter(values)
    assert list(itertools.islice(other, 300)) == list(range(300))
    assert next(iterator) == 107
    assert len(values.cached) == 300
    assert values[0:310] == list(range(310))


def test_a_search_sees_what_an_iterator_has_given(lent):
    values, _ = lent
    values._halt = halting.afterAttempts(0)
    assert 100 in values
    assert 101 not in values
    assert values.index(100) == 100


def test_closing_stops_an_iterator_where_it_is(lent):
    values, iterator = lent
    values.close()
    with pytest.raises(ValueError, match="is closed; what it has cached is readable"):
        next(iterator)
    assert len(values.cached) == 101
    assert values[100] == 100


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_an_iterator_goes_on_in_a_forked_child(lent):
    values, iterator = lent
    queue = multiprocessing.get_context("fork").SimpleQueue()

    def child():
        queue.put((len(values.cached), list(itertools.islice(iterator, 50)), values[200]))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    assert queue.get() == (101, list(range(101, 151)), 200)
    process.join()
    queue.close()
    assert process.exitcode == 0
    assert next(iterator) == 101


def test_a_store_holds_what_was_asked_for_while_an_iterator_goes_on(make):
    store = []
    for value in make(itertools.count, 64, store=store):
        assert store == list(range(value + 1))
        if value == 150:
            break


def test_an_exhausted_buffer_iterates_as_often_as_asked(make):
    letters = make("abcdef", 4)
    iterator = iter(letters)
    assert next(iterator) == "a"
    assert list(letters) == list(letters) == list("abcdef")
    assert list(iterator) == list("bcdef")


# What an item was when it was yielded


class Holder:
    value = None


def reused_dict():
    reused = {}
    for n in range(300):
        reused["n"] = n
        yield reused


def reused_list():
    reused = [0, "a"]
    for n in range(300):
        reused[0] = n
        yield reused


def reused_inside():
    reused = {"inner": []}
    for n in range(300):
        reused["inner"][:] = [n]
        yield reused


def reused_object():
    reused = UserDict()
    for n in range(300):
        reused["n"] = n
        yield reused


def reused_array():
    import numpy as np

    reused = np.zeros(3)
    for n in range(300):
        reused[:] = n
        yield reused


def reused_large_array():
    import numpy as np

    reused = np.zeros(20_000)
    for n in range(300):
        reused[:] = n
        yield reused


FOUND = {
    reused_dict: lambda value: value["n"],
    reused_list: lambda value: value[0],
    reused_inside: lambda value: value["inner"][0],
    reused_object: lambda value: value["n"],
    reused_array: lambda value: value[1],
    reused_large_array: lambda value: value[-1],
}


@pytest.mark.parametrize("generator", FOUND, ids=lambda each: each.__name__)
def test_a_generator_may_use_its_object_again(make, generator):
    values = make(generator, 1000)
    assert [FOUND[generator](value) for value in values] == list(range(300))
    assert FOUND[generator](values[7]) == 7


def test_values_of_all_kinds_come_in_order(make):
    def mixed():
        import numpy as np

        for n in range(500):
            yield n
            yield {"n": n}
            yield [n, [n]]
            yield b"%d" % n
            if n % 50 == 0:
                yield np.full(30_000, n)
                yield type("Local", (), {"n": n})()

    got = [
        value["n"] if isinstance(value, dict) else getattr(value, "n", value)
        for value in make(mixed, 64)
    ]
    expected = []
    for n in range(500):
        expected += [n, n, [n, [n]], b"%d" % n]
        if n % 50 == 0:
            expected += [n, n]
    got = [int(value[0]) if isinstance(value, np.ndarray) else value for value in got]
    assert got == expected


def test_values_outlive_their_buffer_and_their_producer():
    with Buffer(reused_large_array) as values:
        first = values[0]
        second = values[1]
    first[0] = -1
    assert (first[0], first[-1], second[0]) == (-1, 0, 1)


# More than there is room for


@pytest.fixture
def little_room(monkeypatch):
    monkeypatch.setattr(channel, "BYTES_UNDER_WAY", 1 << 20)


@pytest.mark.usefixtures("little_room")
def test_what_is_larger_than_the_shared_memory_comes_in_parts(make):
    sizes = [10, 3 << 20, 500_000, 600_000, 1, 5 << 20, 1 << 20]
    values = make(lambda: (bytes([n]) * size for n, size in enumerate(sizes)), 16)
    assert [(value[0], len(value)) for value in values] == list(enumerate(sizes))


@pytest.mark.usefixtures("little_room")
def test_a_consumer_that_stops_reading_stops_its_producer_before_memory_is_full(make, tmp_path):
    made = tmp_path / "made"

    def large():
        for n in range(16):
            with made.open("ab") as file:
                file.write(b".")
            yield bytes([n]) * 200_000

    values = make(large, 16)
    assert values[0] == bytes(200_000)
    time.sleep(0.3)
    assert made.stat().st_size < 10
    assert [value[0] for value in values] == list(range(16))


def test_no_memory_for_an_item_is_an_error_at_its_place(make):
    def too_large():
        from pyspeedup.concurrent._buffering import channel

        def full(*_):
            raise OSError(28, "No space left on device")

        yield 1
        channel.Region.reserve = full  # in this process, where alone memory is taken
        yield bytes(10 << 20)
        yield 3

    values = make(too_large)
    assert values[0] == 1
    for _ in range(2):
        with pytest.raises(OSError, match="No space left on device"):
            values[1]
    assert values[0] == 1


# Waiting


def test_a_computing_generator_holds_back_nothing_that_is_finished(make):
    def stuck():
        yield from range(30)
        all(zero == 0 for zero in iter(int, 1))

    values = make(stuck, 100)
    assert values[29] == 29


@linux
def test_nobody_works_or_wakes_up_while_nothing_is_asked_for(make):
    values = make(itertools.count)
    assert values[100] == 100
    pid = values._supply.pid

    def record():
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        times = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return [line for line in status.splitlines() if "ctxt_switches" in line], times[11:13]

    before = None
    while before != (before := record()):
        time.sleep(0.1)
    time.sleep(0.5)
    assert record() == before
    assert values[200] == 200


def test_a_lost_bell_is_missed_for_a_moment_only(make, monkeypatch):
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("the producer must inherit the damage")
    monkeypatch.setattr(channel.ProducerEnd, "alert", lambda _: None)

    def slow():
        for n in range(5):
            time.sleep(0.02)
            yield n

    assert list(make(slow, 2)) == [0, 1, 2, 3, 4]


def test_a_stopped_producer_is_waited_for(make):
    values = make(itertools.count, 4)
    assert values[0] == 0
    os.kill(values._supply.pid, signal.SIGSTOP)
    timer = threading.Timer(0.3, os.kill, (values._supply.pid, signal.SIGCONT))
    timer.start()
    assert values[50] == 50
    timer.join()


@pytest.fixture
def one_core(monkeypatch):
    monkeypatch.setattr(channel._platform, "available_cores", lambda: 1)


def looks_of(patience, *, found):
    words = memoryview(bytearray(64)).cast("Q")
    words[0] = found
    return patience.finds(words, 0, 1)


def test_looking_goes_on_only_while_it_pays(monkeypatch):
    looked = []
    monkeypatch.setattr(channel, "_finds", lambda words, *_: looked.append(1) or words[0] == 1)
    monkeypatch.setattr(channel._platform, "available_cores", lambda: 2)
    patience = channel._Patience()
    assert all(looks_of(patience, found=True) for _ in range(100))
    assert len(looked) == 100
    assert not any(looks_of(patience, found=False) for _ in range(1000))
    assert len(looked) < 150


@pytest.mark.usefixtures("one_core")
def test_nobody_looks_where_only_one_can_run(monkeypatch):
    monkeypatch.setattr(channel, "_finds", None)
    patience = channel._Patience()
    assert not looks_of(patience, found=False)
    assert looks_of(patience, found=True)


@pytest.mark.usefixtures("one_core")
def test_a_stream_works_without_looking(make):
    assert list(make(lambda: range(1000), 16)) == list(range(1000))


def test_where_writes_may_be_reordered_there_are_fences(make, monkeypatch):
    monkeypatch.setattr(channel._platform, "REORDERS", True)
    assert list(make(lambda: range(1000), 16)) == list(range(1000))


@pytest.mark.parametrize(
    "lacking",
    [["memfd_create"], ["posix_fallocate"], ["pidfd_open"], ["memfd_create", "pidfd_open"]],
)
def test_a_stream_works_where_the_system_offers_less(make, monkeypatch, lacking):
    for name in lacking:
        monkeypatch.delattr(os, name, raising=False)
    values = make(lambda: (bytes([n]) * 50_000 for n in range(40)), 16)
    assert [(value[0], len(value)) for value in values] == [(n, 50_000) for n in range(40)]
