"""A Buffer reads as the list of what its generator gives, and runs it no further than it may."""

from __future__ import annotations

import collections
import contextlib
import copy
import functools
import itertools
import multiprocessing
import os
import pickle
import signal
import sys
import threading
from pathlib import Path

import pytest
from pyspeedup.concurrent import Cache, halting
from pyspeedup.concurrent.buffer import Buffer, buffer
from pyspeedup.core import UnknownNameError, WorkerError


@pytest.fixture
def count(make):
    return make(itertools.count)


def is_gone(pid):
    """Tell whether a child of ours has ended and been reaped."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


# The reference's examples


def test_the_first_example_of_the_reference():
    @buffer(4)
    def count():
        i = 0
        while 1:
            yield i
            i += 1

    with count:
        assert count[0] == 0
        assert count[15] == 15
        for v, i in enumerate(count):
            assert v == i
            if v == 5:
                break
        generated = count()
        assert [next(generated) for _ in range(3)] == [0, 1, 2]


def test_the_second_example_of_the_reference():
    def absolutelyNonDecreasing(buffer, item, attempts):  # noqa: N802
        if abs(buffer._cache[-1]) > abs(item):  # noqa: SIM103 -- as it stands in the reference
            return True
        return False

    @buffer(haltCondition=absolutelyNonDecreasing)
    def complexSpiral():  # noqa: N802
        i = 1
        while True:
            yield i
            i *= 1.1j

    with complexSpiral:
        assert complexSpiral[1] == 1.1j
        assert (-1.21 in complexSpiral) is (-1.21 in [1, 1.1j, 1.1j * 1.1j])
        assert 1.1j * 1.1j in complexSpiral
        assert 3 not in complexSpiral


def test_the_decorator_needs_no_parentheses():
    @buffer
    def letters():
        """Doc."""
        yield from "abc"

    assert list(letters) == ["a", "b", "c"]
    assert (letters.__name__, letters.__doc__) == ("letters", "Doc.")


# Reading as a list


def test_several_iterators_are_independent(count):
    first, second = iter(count), iter(count)
    assert [next(first), next(first), next(second), next(first), next(second)] == [0, 1, 0, 2, 1]


def test_bounded_slices_wait_for_what_they_need(count):
    values = list(range(100))
    for index in [slice(5), slice(3, 9), slice(9, 3), slice(9, 3, -2), slice(7, None, -3)]:
        assert count[index] == values[index]
    assert len(count.cached) == 10
    assert count[0:0] == []


@pytest.mark.parametrize("index", [-1, slice(2, None), slice(-3, 4), slice(None, -1), slice(None)])
def test_what_counts_from_the_end_needs_the_end(make, index):
    letters = make("abcdef")
    with pytest.raises(IndexError, match="end, which has not been reached"):
        letters[index]
    assert list(letters) == list("abcdef")
    assert letters[index] == list("abcdef")[index]


def test_a_slice_past_the_end_is_cut_off(make):
    assert make("abc")[1:100] == ["b", "c"]


def test_the_length_is_known_once_the_end_was_reached(make):
    letters = make("abc")
    with pytest.raises(TypeError, match=r"has no len\(\)"):
        len(letters)
    assert letters[2] == "c"
    assert not letters.exhausted
    with pytest.raises(IndexError, match="out of range: there are 3"):
        letters[3]
    assert letters.exhausted
    assert len(letters) == 3
    assert list(reversed(letters)) == ["c", "b", "a"]
    with pytest.raises(IndexError):
        letters[-4]


def test_counting_and_reversing_need_the_end(make):
    letters = make("hello")
    with pytest.raises(TypeError, match="cannot count"):
        letters.count("l")
    with pytest.raises(TypeError, match="cannot be reversed"):
        reversed(letters)
    assert list(letters)
    assert letters.count("l") == 2


def test_truth_is_having_a_value(make, count):
    assert count
    assert not make([])


@pytest.mark.parametrize("index", [1.5, "1", None])
def test_other_indexes_are_refused_as_by_a_list(count, index):
    with pytest.raises(TypeError, match="Buffer indices must be integers or slices, not"):
        count[index]
    with pytest.raises(ValueError, match="zero"):
        count[1:5:0]


def test_what_is_out_of_a_lists_reach_is_so_at_once(count):
    for index in (sys.maxsize, 10**25):
        with pytest.raises(IndexError, match=f"index {index} is out of range"):
            count[index]
    assert len(count.cached) == 0


def test_an_index_before_the_first_is_named(make):
    letters = make("abc")
    assert list(letters) == ["a", "b", "c"]
    with pytest.raises(IndexError, match="index -4 is out of range: there are 3"):
        letters[-4]


@pytest.mark.parametrize("bad", ["a", 1.5])
def test_bounds_that_are_no_whole_numbers_are_named(make, count, bad):
    letters = make("abc")
    assert list(letters) == ["a", "b", "c"]
    for values in (count, letters):
        for index in (slice(bad, 3), slice(0, bad), slice(0, 3, bad)):
            with pytest.raises(TypeError, match=f"must be .* not {bad!r}"):
                values[index]
        for bounds in ((bad,), (0, bad)):
            with pytest.raises(TypeError, match=f"must be .* not {bad!r}"):
                values.index("a" if values is letters else 1, *bounds)


def test_what_has_an_index_is_one(count):
    class Three:
        def __index__(self):
            return 3

    assert count[Three()] == 3
    assert count[True] == 1


def test_index_finds_the_first_as_a_list_does(make):
    letters = make("hello", 2, lambda *_: False)
    assert letters.index("l") == 2
    assert letters.index("l", 3) == 3
    with pytest.raises(ValueError, match="is not in Buffer"):
        letters.index("l", 0, 2)
    with pytest.raises(IndexError, match="counts from its end"):
        letters.index("l", -2)
    with pytest.raises(ValueError, match="is not in Buffer"):
        letters.index("x")
    assert letters.index("l", -2) == 3


def test_the_cached_values_cannot_be_changed(count):
    assert count[3] == 3
    cached = count.cached
    assert (len(cached), cached[-1], list(cached), 2 in cached) == (4, 3, [0, 1, 2, 3], True)
    with pytest.raises(TypeError):
        cached[0] = 7
    assert count[9] == 9
    assert len(cached) == 10
    assert repr(cached) == "<10 values cached: 0, 1, 2, 3, 4, ...>"


def test_the_repr_is_short(count):
    assert repr(count) == "<Buffer count: 0 cached, more to come>"


# Searching


def test_a_search_takes_one_value_a_question(make):
    asked = []

    def halt(buffer, item, attempts):
        asked.append((buffer.cached[-1], item, attempts))
        return attempts >= 3

    count = make(itertools.count, 16, halt)
    assert 50 not in count
    assert asked == [(0, 50, 0), (1, 50, 1), (2, 50, 2), (3, 50, 3)]
    assert len(count.cached) == 4
    assert 2 in count
    assert len(asked) == 4


def test_a_condition_is_not_asked_about_nothing(make):
    letters = make(["b"], 1, halting.afterAttempts(0))
    assert "b" in letters


@pytest.mark.parametrize(
    "index",
    [
        *(slice(None, 10**30), slice(10**30), slice(10**30, 10**31), slice(2, sys.maxsize)),
        *(
            slice(10**30, 0, -1),
            slice(10**30, 2, -2),
            slice(1, 10**30, 10**30),
            slice(0, sys.maxsize + 1, 2),
        ),
    ],
)
def test_bounds_beyond_all_values_are_those_of_a_list(make, index):
    letters = make("abcdefg")
    assert letters[index] == list("abcdefg")[index]
    assert [*letters] == list("abcdefg")
    assert letters[index] == list("abcdefg")[index]


def test_an_index_bounded_far_away_is_that_of_a_list(make):
    assert make("abcdefg").index("c", 1, 10**30) == 2
    with pytest.raises(ValueError, match="not in"):
        make("abcdefg", haltCondition=lambda *_: False).index("c", 10**30)
    letters = make("abcdefg")
    assert len([*letters]) == 7
    assert letters.index("c", -(10**30), 10**30) == 2


def test_an_index_from_a_start_on_counts_the_questions_that_are_asked(make):
    asked = []

    def halt(buffer, item, attempts):
        asked.append((buffer.cached[-1], attempts))
        return attempts >= 2

    count = make(itertools.count, 16, halt)
    with pytest.raises(ValueError, match="50 is not in"):
        count.index(50, 5)
    assert asked == [(5, 0), (6, 1), (7, 2)]


def test_a_clock_starts_anew_in_an_index_from_a_start_on(make, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(halting.time, "monotonic", lambda: now[0])
    patience = halting.afterSeconds(1)
    assert make(itertools.count, 16, patience).index(3) == 3
    now[0] = 5.0
    assert make(itertools.count, 16, patience).index(9, 5) == 9


@pytest.mark.parametrize("search", ["in", "index"])
def test_what_has_come_when_a_search_stops_is_looked_at(make, search):
    def looking_ahead(buffer, item, attempts):
        return buffer[len(buffer.cached)] >= item

    count = make(itertools.count, 16, looking_ahead)
    if search == "in":
        assert 7 in count
    else:
        assert count.index(7) == 7
    assert len(count.cached) == 8


def test_what_another_thread_read_while_a_search_was_stopping_is_looked_at(make):
    def slow(buffer, item, attempts):
        other = threading.Thread(target=lambda: buffer[10])
        other.start()
        other.join()
        return buffer.cached[-1] >= item

    count = make(itertools.count, 16, slow)
    assert 7 in count
    assert 12 in make(itertools.count, 16, slow)


def test_a_search_that_stopped_looks_no_further_than_it_may(make):
    def looking_ahead(buffer, item, attempts):
        return buffer[20] >= item

    count = make(itertools.count, 16, looking_ahead)
    with pytest.raises(ValueError, match="7 is not in"):
        count.index(7, 0, 5)
    assert count.index(7, 0, 9) == 7
    assert len(count.cached) == 21


def test_what_came_ahead_is_not_looked_at(make):
    count = make(itertools.count, 16, halting.afterAttempts(0))
    assert count[2] == 2
    assert 3 not in count


def test_equality_is_exact_and_identity_suffices(make):
    nan = float("nan")
    values = make([1, nan], haltCondition=lambda *_: False)
    assert 1.0 in values
    assert values[1] in values
    assert nan not in values  # it has travelled


def test_halt_conditions_have_names(make):
    from pyspeedup.core import hookimpl, register

    class Plugin:
        @hookimpl
        def pyspeedup_register_halt_conditions(self, register):
            register("atOnceForBuffers", lambda *_: True)

    register(Plugin())
    count = make(itertools.count, haltCondition="atOnceForBuffers")
    assert 5 not in count
    assert len(count.cached) == 1


def test_a_condition_that_raises_leaves_the_buffer_usable(make):
    count = make(itertools.count, haltCondition=lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        assert 5 in count
    assert count[5] == 5


# Arguments


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((itertools.count, 0), ValueError, "buffersize must be 1 or more, not 0"),
        ((itertools.count, 1.5), TypeError, "buffersize must be a whole number, not 1.5"),
        ((itertools.count, "4"), TypeError, "buffersize must be a whole number, not '4'"),
        ((itertools.count, 4, 5), TypeError, "haltCondition must be callable.*not 5"),
        ((7,), TypeError, "generator must be a generator function or an iterable, not 7"),
        (((n for n in "a"),), TypeError, "leave out the parentheses"),
        ((lambda n: [n],), TypeError, "without arguments.*missing a required argument: 'n'"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        Buffer(*arguments)


def test_an_unknown_halt_condition_is_named():
    with pytest.raises(UnknownNameError, match="noSuchCondition"):
        Buffer("abc", haltCondition="noSuchCondition")


def test_asynchronous_generators_are_refused():
    async def agen():
        yield 1

    with pytest.raises(TypeError, match="asynchronous"):
        Buffer(agen)


@pytest.mark.parametrize("store", [(), collections.deque()])
def test_a_store_must_be_able_to_hold_the_values(store):
    with pytest.raises(TypeError, match="store must"):
        Buffer("abc", store=store)


def test_what_cannot_travel_is_named_and_costs_nothing(make):
    lock = threading.Lock()

    def locked():
        with lock:
            yield 1

    stuck = make(locked)
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Buffer locked cannot be sent .* variable 'lock'"):
            stuck[0]


@pytest.mark.parametrize(
    "generator",
    [
        functools.partial(range, 5),
        range(5),
        iter(range(5)),
        [0, 1, 2, 3, 4],
        lambda: range(5),
        dict.fromkeys(range(5)),
    ],
)
def test_anything_iterable_is_a_generator(make, generator):
    assert list(make(generator, 2)) == [0, 1, 2, 3, 4]


# How far ahead


class Steps:
    """Counts, in a file, how many values a generator was asked for."""

    def __init__(self, folder):
        self.path = Path(folder) / "steps"
        self.path.touch()

    def generator(self, values):
        path = self.path

        def generate():
            for value in values:
                with path.open("ab") as file:
                    file.write(b".")
                yield value

        return generate

    def taken(self):
        return self.path.stat().st_size


@pytest.mark.parametrize("buffersize", [1, 2, 3, 16, 100])
def test_never_more_than_buffersize_ahead_of_what_was_asked(make, tmp_path, buffersize):
    steps = Steps(tmp_path)
    values = make(steps.generator(range(1000)), buffersize)
    assert steps.taken() == 0
    highest = 0
    for index in [0, 1, 2, 3, 10, 50, 51, 52, 20, 200, 201]:
        assert values[index] == index
        highest = max(highest, index)
        assert steps.taken() <= highest + 1 + buffersize
    assert steps.taken() > highest


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_the_producer_does_run_ahead(make, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def ahead():
        yield 0
        yield 1
        yield 2
        pipe.write_text("three")
        yield 3

    values = make(ahead, 3)
    assert values[0] == 0
    assert pipe.read_text() == "three"
    assert len(values.cached) == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_slow_value_holds_back_none_before_it(make, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def stuck():
        yield from range(3)
        pipe.write_text("stuck")
        threading.Event().wait()

    values = make(stuck, 100)
    assert values[0] == 0
    assert pipe.read_text() == "stuck"
    assert values[2] == 2


def test_iterating_asks_for_no_more_than_it_gives(make, tmp_path):
    steps = Steps(tmp_path)
    values = make(steps.generator(range(1000)), 8)
    for index, value in enumerate(values):
        assert value == index
        assert steps.taken() <= index + 1 + 8
        if index == 100:
            break


def test_nothing_starts_before_the_first_need(make, tmp_path):
    steps = Steps(tmp_path)
    values = make(steps.generator("abc"))
    iter(values), values(), values.cached, repr(values), values[0:0], list(values.cached)
    assert values._supply is None
    assert steps.taken() == 0


# Errors and deaths


def test_an_exception_arrives_at_its_place_each_time(make):
    def two():
        yield 1
        yield 2
        raise LookupError("no third", 3)

    values = make(two)
    assert values[1] == 2
    for _ in range(2):
        with pytest.raises(LookupError) as caught:
            values[2]
        assert caught.value.args == ("no third", 3)
        assert 'raise LookupError("no third", 3)' in str(caught.value.__cause__)
    with pytest.raises(LookupError):
        list(values)
    with pytest.raises(LookupError):
        assert 7 in values
    assert values[0:2] == [1, 2]
    assert not values.exhausted


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_exceptions_of_every_kind_arrive(make, error):
    def ending():
        yield 1
        raise error(3)

    values = make(ending)
    assert values[0] == 1
    with pytest.raises(error):
        values[1]


def test_a_callable_that_makes_no_iterable_says_so(make):
    with pytest.raises(TypeError, match="not iterable"):
        make(lambda: 5)[0]


def test_an_item_that_cannot_travel_is_an_error_at_its_place(make):
    def locks():
        yield 1
        yield threading.Lock()

    values = make(locks)
    assert values[0] == 1
    for _ in range(2):
        with pytest.raises(TypeError, match="item 1 of locks cannot be sent"):
            values[1]


def test_an_item_that_cannot_be_read_is_an_error_at_its_place(make):
    class Broken:
        def __reduce__(self):
            return (int, ("not a number",))

    values = make(lambda: iter([1, Broken(), 3]))
    assert values[0] == 1
    for _ in range(2):
        with pytest.raises(TypeError, match=r"item 1 .* arrived and cannot be read: invalid lit"):
            values[1]


def test_a_killed_producer_is_named(make):
    def suicide():
        yield os.getpid()
        os.kill(os.getpid(), signal.SIGKILL)

    values = make(suicide, 1)
    pid = values[0]
    for _ in range(2):
        with pytest.raises(WorkerError, match=f"process {pid}.*killed by signal 9") as caught:
            values[1]
        assert (caught.value.pid, caught.value.exitcode) == (pid, -9)
    assert values[0] == pid


def test_a_producer_killed_while_it_is_waited_for_is_noticed(make):
    def endless():
        yield os.getpid()
        threading.Event().wait()

    values = make(endless, 1)
    timer = threading.Timer(0.2, os.kill, (values[0], signal.SIGKILL))
    timer.start()
    with pytest.raises(WorkerError):
        values[1]
    timer.join()


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only a pidfd tells")
def test_a_killed_producer_is_noticed_though_a_child_of_its_own_lives_on(make, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def forking():
        if os.fork() == 0:
            pipe.read_text()  # until the test writes
            os._exit(0)
        yield 1
        os.kill(os.getpid(), signal.SIGKILL)

    values = make(forking, 1)
    with pytest.raises(WorkerError, match="killed by signal 9"):
        values[1]
    pipe.write_text("end")


def test_a_producer_that_exits_is_named(make):
    def leaving():
        yield 1
        os._exit(7)

    values = make(leaving, 1)
    with pytest.raises(WorkerError, match=r"exited with 7 after 1 values") as caught:
        list(values)
    assert caught.value.exitcode == 7


# Values


def test_values_are_what_they_were_when_they_were_yielded(make):
    def growing():
        items = []
        while True:
            yield items
            items.append(len(items))

    assert make(growing)[0:4] == [[], [0], [0, 1], [0, 1, 2]]


def test_values_larger_than_any_pipe(make):
    values = make(lambda: (bytes([n]) * (5 << 20) for n in range(5)), 2)
    for n, value in enumerate(values):
        assert value == bytes([n]) * (5 << 20)


def test_values_of_local_classes_keep_their_class(make):
    class Point:
        def __init__(self, x):
            self.x = x

    point = make(lambda: map(Point, itertools.count()))[3]
    assert type(point) is Point
    assert point.x == 3


def test_functions_are_values_too(make):
    assert make(lambda: (lambda n=n: n * n for n in itertools.count()))[4]() == 16


# Itself and others


def test_a_generator_reads_what_it_has_produced():
    @buffer(8)
    def primes():
        yield 2
        for n in itertools.count(3, 2):
            for p in primes:
                if p * p > n:
                    yield n
                    break
                if n % p == 0:
                    break

    with primes:
        assert primes[0:10] == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
        assert primes[999] == 7919
        assert 7919 in primes
        assert 7920 not in primes


def test_a_generator_indexes_searches_and_slices_itself():
    @buffer
    def fibonacci():
        yield 1
        yield 1
        for n in itertools.count(2):
            assert fibonacci[n - 2 : n] == list(fibonacci.cached)[-2:]
            yield fibonacci[n - 1] + fibonacci[n - 2]

    with fibonacci:
        assert fibonacci[99] == 354224848179261915075


def test_a_generator_cannot_wait_for_itself():
    @buffer
    def impatient():
        yield 0
        yield impatient[0]
        yield impatient[2]

    with impatient:
        assert impatient[1] == 0
        with pytest.raises(RuntimeError, match="item 2 of impatient is wanted inside its own"):
            impatient[2]


def test_making_a_buffer_of_a_generator_at_once_takes_all_arguments():
    store = []
    with buffer(itertools.count, haltCondition=halting.afterAttempts(3), store=store) as count:
        assert 50 not in count
        assert store == [0, 1, 2, 3]
    with buffer(itertools.count, halting.afterAttempts(1)) as count:
        assert 50 not in count
        assert len(count.cached) == 2
    with pytest.raises(UnknownNameError, match="noSuchCondition"):
        buffer(itertools.count, haltCondition="noSuchCondition")
    with pytest.raises(TypeError, match="store must be"):
        buffer(itertools.count, store=5)


def test_a_generator_reads_another_buffer():
    squares = Buffer(lambda: (n * n for n in itertools.count()), 4)

    @buffer(4)
    def sums():
        yield from itertools.accumulate(squares)

    with sums, squares:
        assert sums[10] == 385
        assert squares[3] == 9


def test_a_generator_that_ends_with_another_still_open(make):
    def inner():
        yield from itertools.count()

    nested = Buffer(inner)
    outer = make(lambda: (nested[n] for n in range(5)))
    assert list(outer) == [0, 1, 2, 3, 4]


def test_two_that_need_each_other_are_refused():
    @buffer
    def chicken():
        yield egg[0]

    @buffer
    def egg():
        yield chicken[0]

    with chicken, egg, pytest.raises(RuntimeError, match="chicken cannot be used here"):
        chicken[0]


# Life


def test_closing_keeps_what_is_cached(count):
    assert count[3] == 3
    count.close()
    count.close()
    assert count[0:4] == [0, 1, 2, 3]
    assert 2 in count
    for need in (lambda: count[4], lambda: list(count), lambda: 9 in count):
        with pytest.raises(ValueError, match="is closed; what it has cached is readable"):
            need()


def test_closing_what_never_started():
    with Buffer("abc") as letters:
        pass
    with pytest.raises(ValueError, match="closed"):
        letters[0]


def test_with_passes_exceptions_on():
    letters = Buffer("abc")
    with pytest.raises(LookupError), letters:
        raise LookupError(letters[0])
    assert is_gone(letters._supply.pid)


def test_a_waiting_generator_is_closed_properly(tmp_path):
    marker = tmp_path / "cleaned up"

    def careful():
        try:
            yield from itertools.count()
        finally:
            marker.touch()

    with Buffer(careful, 1) as values:
        assert values[0] == 0
        assert values[1] == 1
    assert marker.exists()


def test_an_end_ends_the_process(make):
    letters = make("abc")
    assert list(letters) == ["a", "b", "c"]
    assert letters._supply.exitcode == 0
    assert is_gone(letters._supply.pid)


def test_garbage_collection_ends_the_process():
    values = Buffer(itertools.count)
    assert values[0] == 0
    pid = values._supply.pid
    del values
    assert is_gone(pid)


def test_closing_while_another_thread_waits():
    def endless():
        yield 1
        threading.Event().wait()

    values = Buffer(endless)
    assert values[0] == 1
    timer = threading.Timer(0.1, values.close)
    timer.start()
    with pytest.raises(ValueError, match="Buffer endless is closed"):
        values[1]
    timer.join()


def test_a_buffer_is_itself_when_pickled_or_copied_here(count):
    assert pickle.loads(pickle.dumps(count)) is count
    assert copy.copy(count) is copy.deepcopy(count) is count


@pytest.mark.skipif(
    "multiprocessing.get_start_method() == 'forkserver'",
    reason="the server prints where it always did",
)
def test_prints_in_the_generator_are_seen(capfd):
    def talking():
        for n in range(3):
            print("at", n)
            yield n

    assert list(Buffer(talking, 1)) == [0, 1, 2]
    assert capfd.readouterr().out.split("\n") == ["at 0", "at 1", "at 2", ""]


# Stores


def test_a_store_takes_the_values(make):
    store = []
    values = make(itertools.count, store=store)
    assert values[4] == 4
    assert store == [0, 1, 2, 3, 4]


def test_a_store_that_holds_values_is_served_first(make, tmp_path):
    steps = Steps(tmp_path)
    values = make(steps.generator(range(100)), 4, store=list("abc"))
    assert values[0:3] == ["a", "b", "c"]
    assert steps.taken() == 0
    assert values[3:6] == [3, 4, 5]
    assert list(itertools.islice(values, 5)) == ["a", "b", "c", 3, 4]


def test_a_store_longer_than_the_sequence_is_the_sequence(make):
    values = make("ab", store=list("abc"))
    assert list(values) == ["a", "b", "c"]
    assert len(values) == 3


def test_a_store_that_fails_once_loses_nothing(make):
    class Full(collections.UserList):
        full = False

        def extend(self, values):
            for value in values:
                if self.full and len(self) == 3:
                    raise OSError("disk full")
                self.append(value)

    store = Full()
    values = make(itertools.count, store=store)
    assert values[1] == 1
    store.full = True
    with pytest.raises(OSError, match="disk full"):
        values[9]
    store.full = False
    assert values[0:12] == list(range(12))


# Threads, forks, interrupts


@pytest.mark.usefixtures("fast_switching")
def test_many_threads_read_one_sequence(make):
    values = make(lambda: iter(range(3000)), 8)
    results = []

    def read(step):
        for index in range(step, 3000, step):
            if values[index] != index:
                return
        results.append(list(values) == list(range(3000)))

    threads = [threading.Thread(target=read, args=(step,)) for step in (1, 2, 3, 7, 50, 999)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 6


@pytest.fixture
def fast_switching():
    """Have threads meet in places where they hardly ever would."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("fast_switching")
def test_threads_that_meet_at_the_end_all_get_everything(make):
    for _ in range(20):
        values = make(range(40), 64)
        results = []
        barrier = threading.Barrier(4)

        def read(values=values, results=results, barrier=barrier):
            barrier.wait()
            results.append(list(values) == list(range(40)) and values[39] == 39)

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == [True] * 4


def test_an_end_that_arrives_after_a_look_is_not_before_the_values_that_came_with_it(
    make, monkeypatch
):
    large = [bytes([n]) * 20_000 for n in range(40)]  # so that one look cannot find them all
    values = make(large, 64)
    assert values[0] == large[0]
    reveal = type(values)._reveal

    def reveal_and_be_overtaken(self, position):
        revealed = reveal(self, position)
        while not revealed and not self._ended:  # as if another thread read meanwhile
            self._supply.advance(0, lambda: False, self._accept)
        return revealed

    monkeypatch.setattr(type(values), "_reveal", reveal_and_be_overtaken)
    assert list(values) == large


def test_who_waits_for_little_is_not_held_up_by_who_waits_for_much(make):
    def stuck():
        yield from range(5)
        threading.Event().wait()

    values = make(stuck)

    def wait_for_much():
        with pytest.raises(ValueError, match="closed"):
            values[500]

    far = threading.Thread(target=wait_for_much)
    far.start()
    assert values[4] == 4
    values.close()
    far.join(30)
    assert not far.is_alive()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_a_producer_of_its_own(count):
    assert count[3] == 3
    parents = count._supply.pid
    queue = multiprocessing.get_context("fork").SimpleQueue()

    def child():
        queue.put((count[0:50], count._supply.pid))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    values, pid = queue.get()
    process.join()
    queue.close()
    assert values == list(range(50))
    assert pid != parents
    assert process.exitcode == 0
    assert count[0:100] == list(range(100))
    assert count._supply.pid == parents


class Alarm:
    """Interrupts what runs in a ``with`` block, once, after some seconds; at any byte code."""

    armed = False
    rung = 0

    def __call__(self, *_):
        if self.armed:
            self.armed = False
            self.rung += 1
            raise KeyboardInterrupt

    def interrupting(self, function, seconds):
        """Call `function`, interrupt it, and call it until it comes to an end.

        Once: on a slow machine it would never come to one if it were interrupted time and again.
        """
        self.armed = True
        signal.setitimer(signal.ITIMER_REAL, seconds)
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                result = function()
                self.armed = False
                return result


@pytest.fixture
def alarm():
    alarm = Alarm()
    before = signal.signal(signal.SIGALRM, alarm)
    yield alarm
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("seconds", [0.0001, 0.0003, 0.001])
def test_an_interrupt_while_waiting_loses_nothing(make, alarm, seconds):
    def slow():
        pause = threading.Event()
        for n in itertools.count():
            pause.wait(0.001)
            yield bytes([n % 256]) * 100_000

    values = make(slow, 4)
    assert values[0]
    for index in range(60):
        value = alarm.interrupting(functools.partial(values.__getitem__, index), seconds)
        assert value == bytes([index % 256]) * 100_000
    assert alarm.rung > 0


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
# One that strikes while Python itself ends an iterator which was left half way is shown, and goes nowhere.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_in_a_fast_stream_loses_nothing(make, alarm):
    values = make(itertools.count, 16)
    assert values[0] == 0

    def read_on():
        # To read all again could take longer than there is between two interrupts.
        known = len(values.cached)
        for index, value in enumerate(itertools.islice(values, known, known + 200), known):
            assert value == index == values[index]
        return values.cached[-1]

    while alarm.rung < 20 or alarm.interrupting(read_on, 0.0005) < 5000:
        alarm.interrupting(read_on, 0.0005)
    assert list(values.cached) == list(range(len(values.cached)))


def test_a_generator_calls_a_cache_and_a_cache_reads_a_buffer(make):
    squares = make(lambda: (n * n for n in itertools.count()))

    @Cache
    def root(n):
        return squares.index(n) if n in squares else None

    roots = make(lambda: map(root, itertools.count()), 4)
    assert roots[0:10] == [0, 1, None, None, 2, None, None, None, None, 3]
    assert root(49) == 7
