"""The packages joined as their users join them: at the seams of the standard library."""

import functools
import itertools

import pytest
from pyspeedup.algorithms import NotInvertible, Primes, factor, fibonacci, is_prime, mod_inverse
from pyspeedup.concurrent import Buffer, Cache, buffer
from pyspeedup.concurrent.cache import close_shared_engines
from pyspeedup.memory import DiskDict, DiskList


@pytest.fixture(autouse=True)
def workers_end(leaves_nothing_behind):
    """End the workers that Caches share before it is looked at what a test leaves behind."""
    yield
    close_shared_engines()


def squares():
    number = 0
    while True:
        yield number * number
        number += 1


def test_a_buffer_keeps_its_values_in_a_disklist(tmp_path):
    with (
        DiskList("squares", 8, 2, tmp_path) as store,
        Buffer(squares, 4, store=store) as ahead,
    ):
        assert ahead[100] == 10_000
        assert ahead[40:50] == [n * n for n in range(40, 50)]
        assert 144 in ahead
        assert 145 not in ahead
        held = len(store)
        assert held >= 101
        assert list(store) == [n * n for n in range(held)]
    with DiskList("squares", 8, 2, tmp_path) as store:
        assert list(store) == [n * n for n in range(held)]


def test_a_buffer_goes_on_from_what_a_disklist_holds(tmp_path):
    with DiskList("letters", 8, 2, tmp_path) as store:
        # What is stored is taken at its word, so a value no generator gives shows who answered.
        store.extend(["stored"] * 3)
        with Buffer("abcdefgh", store=store) as ahead:
            assert ahead[:3] == ["stored"] * 3
            assert list(ahead) == [*["stored"] * 3, *"defgh"]
        assert list(store) == [*["stored"] * 3, *"defgh"]


def test_a_cache_keeps_its_results_in_a_diskdict(tmp_path):
    def run():
        with DiskDict("factors", 8, 2, tmp_path) as store:
            cache = Cache(factor, store=store)
            answers = [cache(n) for n in range(2, 60)]
            return answers, len(store), cache.cache_info()

    expected = [factor(n) for n in range(2, 60)]
    answers, held, info = run()
    assert answers == expected
    assert (held, info.misses) == (58, 58)
    answers, held, info = run()
    assert answers == expected
    assert (held, info.hits, info.misses) == (58, 58, 0)


def test_algorithms_run_in_a_cache_as_they_do_alone():
    for function, calls in (
        (fibonacci, [(n,) for n in range(0, 3_000, 300)]),
        (is_prime, [(2**61 - k,) for k in range(1, 12, 2)]),
        (mod_inverse, [(a, 10_007) for a in range(1, 20)]),
    ):
        cache = Cache(function)
        cache.batch_async(*calls)
        assert [cache(*call) for call in calls] == [function(*call) for call in calls]


def test_an_error_of_the_algorithms_reaches_the_caller_of_a_cache_whole():
    cache = Cache(mod_inverse)
    with pytest.raises(NotInvertible) as caught:
        cache(6, 9)
    assert (caught.value.a, caught.value.m, caught.value.gcd) == (6, 9, 3)
    assert cache(2, 9) == 5


def test_a_doubly_recursive_cache_agrees_with_the_plain_function():
    @Cache
    def divisor_sum(low, high):
        if high - low == 1:
            return sum(set(factor(low)))
        middle = (low + high) // 2
        divisor_sum.batch_async((low, middle), (middle, high))
        return divisor_sum(low, middle) + divisor_sum(middle, high)

    assert divisor_sum(2, 500) == sum(sum(set(factor(n))) for n in range(2, 500))


def test_a_buffered_generator_may_use_the_algorithms():
    @buffer(32)
    def sexy():
        return (n for n in itertools.count(5) if is_prime(n) and is_prime(n + 6))

    with sexy:
        assert sexy[:6] == [5, 7, 11, 13, 17, 23]  # OEIS A023201


def test_the_primes_are_kept_in_a_disklist_and_found_again(tmp_path):
    with DiskList("primes", 2, 1, tmp_path) as store, Primes(store=store) as primes:
        assert primes[30_000] == 350_381
        segments = len(store)
    with DiskList("primes", 2, 1, tmp_path) as store, Primes(store=store) as primes:
        assert primes[20_000] == 224_743
        assert len(store) == segments
        assert store[0][0] == 0b1111_1110  # of 1, 7, 11, ..., 29 all but the first are prime


def test_a_diskdict_holds_what_a_buffer_of_primes_yields(tmp_path):
    with Primes() as primes, DiskDict("places", 16, 2, tmp_path) as places:
        places.update((p, place) for place, p in enumerate(itertools.islice(primes, 2_000)))
        assert places[7_919] == 999
        assert all(places[primes[place]] == place for place in range(0, 2_000, 97))


def test_a_plain_function_over_a_diskdict_answers_as_over_a_dict(tmp_path):
    def index(words, into):
        for place, word in enumerate(words):
            into.setdefault(word, []).append(place)
        return functools.reduce(max, into.values())

    words = [str(n * n % 101) for n in range(1_000)]
    with DiskDict("words", 8, 2, tmp_path) as disk:
        plain = {}
        assert index(words, disk) == index(words, plain)
        assert disk == plain
        assert list(disk) == list(plain)
    with DiskDict("words", 8, 2, tmp_path) as disk:
        assert disk == plain
