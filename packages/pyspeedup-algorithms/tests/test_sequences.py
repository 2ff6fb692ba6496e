"""The primes as a sequence, against a list of them."""

import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
from array import array
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import Primes, is_prime
from pyspeedup.algorithms import primes as shared
from pyspeedup.algorithms.sieve import FIRST_WIDTH

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
    assert (type(found), found.typecode) == (array, "Q")


def test_places_at_the_edges_of_segments(primes):
    for edge in (FIRST_WIDTH, 3 * FIRST_WIDTH):
        last = max(p for p in KNOWN if p < edge)
        place = KNOWN.index(last)
        for around in range(place - 1, place + 3):
            assert primes[around] == KNOWN[around]
            assert primes.index(KNOWN[around]) == around
            assert primes.below(KNOWN[around]).tolist() == KNOWN[:around]
            assert primes[around : around + 2] == KNOWN[around : around + 2]
            assert primes[around + 2 : place - 2 : -1] == KNOWN[around + 2 : place - 2 : -1]


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


@pytest.mark.parametrize("index", [sys.maxsize, 10**30])
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
from pyspeedup.algorithms import primes

def child(sender):
    sender.send((primes[20_000], primes[5]))

context = multiprocessing.get_context("fork")
receiver, sender = context.Pipe(duplex=False)
assert primes[10] == 31
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


def test_a_store_keeps_the_segments_for_the_next_time():
    store = []
    with Primes(store=store) as primes:
        place = primes.index(299_993)
    segments = len(store)
    assert segments >= 4
    with Primes(store=store) as primes:
        assert primes[place] == 299_993
        assert len(store) == segments
        with pytest.raises(TypeError, match="kept in a store cannot be sent"):
            pickle.dumps(primes)


SCRIPT = """
from pyspeedup.algorithms import primes
import multiprocessing
assert multiprocessing.active_children() == []
print(primes[1_000], 97 in primes, primes[:3])
"""


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_script_may_use_the_shared_one_without_a_main_guard(method):
    chosen = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
    assert printed_by(chosen + SCRIPT) == "7927 True [2, 3, 5]\n"


def printed_by(program):
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout
