"""The primes as a sequence, against a list of them."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from itertools import islice

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import Primes, is_prime
from pyspeedup.algorithms import primes as shared
from pyspeedup.algorithms.sieve import BLOCK, NUMBERS_A_BLOCK, primes_between

KNOWN = [n for n in range(2, 60_000) if is_prime(n)]
PLACES = st.integers(0, len(KNOWN) - 1)
STEPS = st.integers(-40, 40).filter(bool)


@pytest.fixture(scope="module")
def primes():
    with Primes() as found:
        found.below(60_000)
        yield found


@pytest.fixture(autouse=True, scope="module")
def nothing_shared_is_left(request):
    yield
    shared.close()


@given(PLACES)
def test_an_index_gives_what_a_list_of_the_primes_gives(primes, place):
    assert primes[place] == KNOWN[place]
    assert type(primes[place]) is int


@given(PLACES, PLACES, STEPS)
def test_a_slice_gives_what_a_list_of_the_primes_gives(primes, start, stop, step):
    assert primes[start:stop:step] == KNOWN[start:stop:step]


@given(PLACES, st.integers(1, 40))
def test_a_slice_may_leave_out_the_end_that_exists(primes, place, step):
    assert primes[:place:step] == KNOWN[:place:step]
    assert primes[place::-step] == KNOWN[place::-step]


@given(st.integers(-10, 59_999))
def test_membership_is_primality(primes, n):
    assert (n in primes) == (n in KNOWN)


@given(PLACES)
def test_index_is_the_place(primes, place):
    assert primes.index(KNOWN[place]) == place


@given(st.integers(-5, 60_000))
def test_below_gives_all_that_are_less(primes, n):
    found = primes.below(n)
    assert found.tolist() == [p for p in KNOWN if p < n]
    assert (type(found), found.dtype) == (np.ndarray, np.int64)
    assert primes.count(n) == len(found)


@given(st.integers(-5, 60_000), st.integers(-5, 60_000))
def test_between_gives_those_of_the_interval(primes, a, b):
    assert primes.between(a, b).tolist() == [p for p in KNOWN if a <= p < b]


def test_an_array_is_the_callers_own(primes):
    for ask in (lambda: primes.below(30), lambda: primes.between(0, 30)):
        ask()[:] = 0
        assert ask().tolist() == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29]
    assert primes[:3] == [2, 3, 5]


def test_places_at_the_edges_of_blocks(primes):
    known = primes_between(0, 4 * NUMBERS_A_BLOCK).tolist()
    for edge in (NUMBERS_A_BLOCK, 3 * NUMBERS_A_BLOCK):
        place = max(i for i, p in enumerate(known) if p < edge)
        for around in range(place - 1, place + 3):
            assert primes[around] == known[around]
            assert primes.index(known[around]) == around
            assert primes.below(known[around]).tolist() == known[:around]
            assert primes[around : around + 2] == known[around : around + 2]
            assert primes[around + 2 : place - 2 : -1] == known[around + 2 : place - 2 : -1]
        for n in (edge, edge + 1):
            assert primes.count(n) == place + 1
            assert primes.below(n).tolist() == known[: place + 1]
            assert primes.between(n, n + 100).tolist() == [p for p in known if n <= p < n + 100]


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_sequence_may_grow_by_any_steps(monkeypatch, at_once):
    from pyspeedup.algorithms._sieving import known

    monkeypatch.setattr(known, "AT_ONCE", at_once)  # blocks of one process too
    expected = primes_between(0, 9 * NUMBERS_A_BLOCK).tolist()
    with Primes() as primes:
        assert primes[10**5] == expected[10**5]
        assert list(islice(primes, 550_000)) == expected[:550_000]
        assert primes.below(9 * NUMBERS_A_BLOCK).tolist() == expected
        assert len(list(islice(primes, 650_000))) == 650_000


def test_far_out_nothing_but_the_interval_is_sieved():
    primes = Primes()
    assert primes.between(10**15, 10**15 + 100).tolist() == [10**15 + 37, 10**15 + 91]
    assert primes.between(2**89 - 1, 2**89).tolist() == [2**89 - 1]
    assert primes.count(10**10) == 455_052_511  # OEIS A006880
    assert primes.index(22_801_763_489) == 10**9 - 1  # OEIS A006988
    assert primes[10**9 - 1] == 22_801_763_489
    assert primes[10**9 : 10**9 - 2 : -1] == [22_801_763_513, 22_801_763_489]
    assert repr(primes) == "<the primes, 0 of them sieved>"


def test_iterating_goes_on_in_another_process(monkeypatch):
    from pyspeedup.algorithms import sequences

    started = []
    ahead = sequences._ahead_from
    monkeypatch.setattr(
        sequences, "_ahead_from", lambda first: started.append(first) or ahead(first)
    )
    with Primes() as primes:
        assert list(islice(primes, 10**6))[-1] == 15_485_863  # OEIS A006988
        assert list(islice(primes, 10**6))[-1] == 15_485_863
        assert len(started) == 1
        known = len(primes.below(40 * NUMBERS_A_BLOCK))
        more = list(islice(primes, known + 600_000))
        assert len(started) == 2
        assert started[1] >= 40
        expected = primes.between(40 * NUMBERS_A_BLOCK, 60 * NUMBERS_A_BLOCK)
        assert more[known:] == expected[:600_000].tolist()


def test_a_process_that_fails_is_replaced_when_it_is_asked_for_again(monkeypatch):
    from pyspeedup.algorithms import sequences

    class Failing:
        def __getitem__(self, i):
            raise ChildProcessError("killed")

        def close(self):
            closed.append(self)

    closed = []
    ahead = sequences._ahead_from
    fail = [True, False]
    monkeypatch.setattr(
        sequences, "_ahead_from", lambda first: Failing() if fail.pop(0) else ahead(first)
    )
    with Primes() as primes:
        with pytest.raises(ChildProcessError, match="killed"):
            list(islice(primes, 600_000))
        assert len(closed) == 1
        assert list(islice(primes, 600_000))[-1] == 8_960_453


def test_an_iterator_that_is_left_when_they_are_closed_says_so():
    primes = Primes()
    iterator = iter(primes)
    assert next(iterator) == 2
    primes.close()
    with pytest.raises(ValueError, match="are closed: begin again"):
        list(islice(iterator, 10**6))


def test_iterating_starts_from_the_first_prime_each_time(primes):
    assert list(islice(primes, 5_000)) == KNOWN[:5_000]
    assert list(islice(primes, 10)) == KNOWN[:10]


def test_published_places():
    with Primes() as primes:
        assert primes[99_999] == 1_299_709
        assert primes[999_999] == 15_485_863  # OEIS A006988
        assert primes.index(15_485_863) == 999_999


def test_membership_of_large_numbers_sieves_nothing():
    primes = Primes()
    assert 2**89 - 1 in primes
    assert 2**89 - 3 not in primes
    assert repr(primes) == "<the primes, 0 of them sieved>"


@pytest.mark.parametrize("index", [2**57 - 1, sys.maxsize, 10**30])
def test_an_index_beyond_any_list_is_refused_before_anything_is_sieved(primes, index):
    with pytest.raises(IndexError, match=f"index {index} is out of reach"):
        primes[index]


@pytest.mark.parametrize("index", [-1, -(10**30)])
def test_a_negative_index_is_refused(primes, index):
    with pytest.raises(IndexError, match=f"index {index} means none"):
        primes[index]


@pytest.mark.parametrize(
    "index", [slice(None), slice(5, None), slice(None, 5, -1), slice(-3, 5), slice(0, -1)]
)
def test_a_slice_that_counts_from_the_end_is_refused(primes, index):
    with pytest.raises(IndexError, match="no prime is the last"):
        primes[index]


def test_what_makes_no_sense_is_refused_by_name(primes):
    with pytest.raises(ValueError, match="91 is not prime"):
        primes.index(91)
    with pytest.raises(ValueError, match="slice step must not be 0"):
        primes[0:5:0]
    for ask in (
        lambda: primes[1.0],
        lambda: primes["1"],
        lambda: 7.0 in primes,
        lambda: primes.index("7"),
        lambda: primes.below(7.5),
        lambda: primes.between(7.5, 9),
        lambda: primes.between(7, "9"),
        lambda: primes.count(None),
        lambda: primes[0:2.5],
    ):
        with pytest.raises(TypeError, match="must be an integer"):
            ask()
    assert primes[0] == 2


def test_several_threads_may_use_it_at_once():
    found = {}
    with Primes() as primes:
        ask = lambda k: found.__setitem__(k, primes[k * 9_000 : k * 9_000 + 50])  # noqa: E731 -- short
        threads = [threading.Thread(target=ask, args=(k,)) for k in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == {k: primes[k * 9_000 : k * 9_000 + 50] for k in range(8)}


def test_after_close_it_starts_anew():
    primes = Primes()
    assert primes[100] == 547
    primes.close()
    primes.close()
    assert primes[100] == 547
    primes.close()


def test_it_travels_by_name():
    assert pickle.loads(pickle.dumps(shared)) is shared
    assert pickle.loads(pickle.dumps(Primes())) is not shared


FORKING = """
import multiprocessing
from itertools import islice
from pyspeedup.algorithms import primes

def child(sender):
    sender.send((list(islice(primes, 20_001))[-1], primes[5]))

context = multiprocessing.get_context("fork")
receiver, sender = context.Pipe(duplex=False)
assert primes[10] == 31
assert list(islice(primes, 400_000))[-1] == 5800079  # a process is there
process = context.Process(target=child, args=(sender,))
process.start()
sender.close()
print(receiver.recv())
process.join()
print(process.exitcode, primes[30_000])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_sieves_for_itself_and_leaves_the_parents_alone():
    assert printed_by(FORKING) == "(224743, 13)\n0 350381\n"


def test_a_store_keeps_the_blocks_for_the_next_time():
    store = []
    with Primes(store=store) as primes:
        place = primes.index(4_999_999)
    assert [len(block) for block in store] == [BLOCK] * 6
    with Primes(store=store) as primes:
        assert primes[place] == 4_999_999
        assert len(store) == 6
        with pytest.raises(TypeError, match="kept in a store cannot be sent"):
            pickle.dumps(primes)


@pytest.mark.parametrize("stored", [[b"?"], [[2, 3, 5]]])
def test_a_store_of_something_else_is_refused(stored):
    with pytest.raises(ValueError, match="holds something else at 0"):
        Primes(store=stored)[0]


SCRIPT = """
from pyspeedup.algorithms import primes
import multiprocessing
assert multiprocessing.active_children() == []
from itertools import islice
print(primes[1_000], 97 in primes, primes[:3], list(islice(primes, 400_000))[-1])
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_script_may_use_the_shared_one_without_a_main_guard(method):
    chosen = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
    assert printed_by(chosen + SCRIPT) == "7927 True [2, 3, 5] 5800079\n"


def printed_by(program):
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


@pytest.mark.parametrize(
    "ask",
    [
        lambda all_primes: all_primes.below(10**30),
        lambda all_primes: all_primes.between(5, 10**15),
        lambda all_primes: all_primes[: 10**12],
    ],
)
def test_what_no_memory_holds_is_refused_at_once(ask):
    with Primes() as ours, pytest.raises(ValueError, match="no memory holds"):
        ask(ours)
