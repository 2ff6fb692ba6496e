"""Tables of least prime factors, against trial division and published sums; and their files."""

import math
import os
import pickle
import signal
import subprocess
import sys
import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspeedup.algorithms import DamagedFile, FactorTable
from pyspeedup.algorithms._sieving import block_file, least_factors, table_memory
from pyspeedup.algorithms._sieving.table_memory import ENTRIES, LEAST_FACTORS

LIMIT = 120_000
BLOCK = 2 * ENTRIES
"""Numbers a block."""


def by_trial(n):
    found, p = [], 2
    while p * p <= n:
        while n % p == 0:
            found.append(p)
            n //= p
        p += 1
    return found + [n] * (n > 1)


@pytest.fixture(scope="module")
def table():
    with FactorTable(LIMIT) as made:
        yield made


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "factors.bin"
    FactorTable(2 * BLOCK, path).close()
    return path.read_bytes()


@pytest.fixture
def path(tmp_path, made_once):
    """Return the path of a file of three blocks: it goes a number beyond two."""
    found = tmp_path / "factors.bin"
    found.write_bytes(made_once)
    return found


@given(st.integers(1, LIMIT))
def test_factors_are_those_of_trial_division(table, n):
    expected = by_trial(n)
    assert table[n] == (expected[0] if expected else 1)
    assert table.factor(n) == expected
    assert list(table.factorint(n).items()) == [
        (p, expected.count(p)) for p in sorted(set(expected))
    ]
    assert type(table[n]) is int


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 8, 9, 10, 25, 48, 49, 50, 121, 1_000])
def test_a_table_of_any_size_ends_where_it_says(limit):
    with FactorTable(limit) as table:
        assert [table.factor(n) for n in range(1, limit + 1)] == [
            by_trial(n) for n in range(1, limit + 1)
        ]
        found = table.many(range(1, limit + 1))
        assert [found[i] for i in range(limit)] == [by_trial(n) for n in range(1, limit + 1)]
        assert len(table.totients()) == len(table.moebius()) == len(table.sigma()) == limit + 1
        with pytest.raises(IndexError, match=f"ends at {limit}, before {limit + 1}"):
            table[limit + 1]


@given(st.lists(st.integers(1, LIMIT), max_size=50))
def test_many_at_once_are_as_one_by_one(table, numbers):
    found = table.many(numbers)
    assert len(found) == len(numbers)
    assert [found[i] for i in range(len(numbers))] == [by_trial(n) for n in numbers]
    assert found.primes.dtype == found.offsets.dtype == np.int64
    assert found.offsets[0] == 0
    assert found.offsets[-1] == len(found.primes)


@pytest.mark.parametrize("at_once", [1, 1_000, 1 << 15])
def test_many_are_cut_without_a_seam(table, monkeypatch, at_once):
    monkeypatch.setattr(least_factors, "FACTORED_AT_ONCE", at_once)
    for numbers in (np.arange(1, 3_000), np.full(500, 2**16), np.full(500, 3**10), np.ones(9, int)):
        found = table.many(numbers)
        assert [found[i] for i in range(len(found))] == [by_trial(n) for n in numbers.tolist()]


def test_a_result_is_indexed_as_a_sequence(table):
    found = table.many([6, 35])
    assert (found[0], found[1], found[-1], list(found)) == (
        [2, 3],
        [5, 7],
        [5, 7],
        [[2, 3], [5, 7]],
    )
    with pytest.raises(IndexError):
        found[2]


@pytest.mark.parametrize(
    "kind", [np.int8, np.uint8, np.int32, np.uint32, np.int64, np.uint64, object]
)
def test_arrays_of_any_integers_will_do_and_are_left_alone(table, kind):
    numbers = np.array([12, 97, 1, 64], kind)
    found = table.many(numbers)
    assert list(found) == [[2, 2, 3], [97], [], [2] * 6]
    assert numbers.tolist() == [12, 97, 1, 64]


def test_integers_of_other_libraries_will_do(table):
    gmpy2 = pytest.importorskip("gmpy2")
    assert list(table.many([gmpy2.mpz(12), 5])) == [[2, 2, 3], [5]]
    assert table.factor(gmpy2.mpz(12)) == [2, 2, 3]


def test_functions_of_all_numbers_are_as_defined(table):
    with FactorTable(700) as small:
        totients, moebius, sigma = small.totients(), small.moebius(), small.sigma()
        assert totients[0] == moebius[0] == sigma[0] == 0
        for n in range(1, 701):
            assert totients[n] == sum(math.gcd(k, n) == 1 for k in range(1, n + 1))
            assert sigma[n] == sum(d for d in range(1, n + 1) if n % d == 0)
            factors = by_trial(n)
            assert moebius[n] == (len(set(factors)) == len(factors)) * (-1) ** len(factors)


def test_their_sums_are_those_published(table):
    with FactorTable(10**6) as million:
        for k, sums in {
            # OEIS A064018 and A084237, the function of Mertens
            4: (30_397_486, -23),
            5: (3_039_650_754, -48),
            6: (303_963_552_392, 212),
        }.items():
            n = 10**k + 1
            assert (million.totients()[:n].sum(), million.moebius()[:n].sum()) == sums
        assert million.sigma()[1:].sum() == sum(d * (10**6 // d) for d in range(1, 10**6 + 1))


def test_the_last_numbers_of_a_large_table_are_right():
    limit = 3 * BLOCK + 77
    with FactorTable(limit) as table:
        for n in (*range(BLOCK - 20, BLOCK + 20), *range(limit - 60, limit + 1)):
            assert table.factor(n) == by_trial(n)


def test_numbers_near_the_top_of_what_it_can_hold_are_struck_right():
    first = 2**31 - 3_000
    entries = least_factors.least_factors(first, 200)
    for k, p in enumerate(entries.tolist()):
        n = 2 * (first + k) + 1
        assert (p or n) == by_trial(n)[0]


def test_what_is_out_of_range_is_refused(table):
    for n in (0, -1, -(10**30)):
        with pytest.raises(ValueError, match=f"from 1 on, not {n}"):
            table[n]
        with pytest.raises(ValueError, match=f"from 1 on, not {n}"):
            table.many([5, n, LIMIT + 1])
    for n in (LIMIT + 1, 10**30):
        for ask in (
            table.factor,
            table.factorint,
            table.__getitem__,
            lambda n: table.many([5, n, 0]),
        ):
            with pytest.raises(IndexError, match=f"ends at {LIMIT}, before {n}"):
                ask(n)
    for limit in (0, -5, 2**32, 10**30):
        with pytest.raises(ValueError, match="N must be at least 1 and less than"):
            FactorTable(limit)
    with pytest.raises(ValueError, match="one dimension, not 2"):
        table.many([[1, 2], [3, 4]])


@pytest.mark.parametrize("wrong", [1.0, "12", None, Fraction(12)])
def test_what_is_no_integer_is_refused(table, wrong):
    for ask in (
        FactorTable,
        table.factor,
        table.factorint,
        table.__getitem__,
        lambda n: table.many([n]),
    ):
        with pytest.raises(TypeError, match="must be an integer"):
            ask(wrong)


def test_closing_is_harmless_and_it_is_taken_up_again(path):
    for table in (FactorTable(100), FactorTable(100, path)):
        table.close()
        table.close()
        assert table[91] == 7
        table.close()


def test_it_travels_by_limit_and_path(path):
    with FactorTable(1_000, path) as table, pickle.loads(pickle.dumps(table)) as other:
        assert (other[91], other.path, other.limit) == (7, str(path), 1_000)
        assert repr(other) == f"FactorTable(1000, {str(path)!r})"


def test_a_file_is_mapped_the_next_time_not_built(path, monkeypatch):
    before = path.read_bytes()
    monkeypatch.setattr(table_memory, "least_factors", None)
    with FactorTable(2 * BLOCK - 1, path) as table:
        for n in (1, 2, 91, BLOCK - 1, BLOCK + 1, 2 * BLOCK - 3):
            assert table.factor(n) == by_trial(n)
        assert list(table.many([91, 2 * BLOCK - 1])) == [[7, 13], by_trial(2 * BLOCK - 1)]
        with pytest.raises(IndexError):
            table[2 * BLOCK]
    assert path.read_bytes() == before


def test_a_larger_table_extends_the_file(path, monkeypatch):
    before = path.read_bytes()
    built = []
    really = table_memory.least_factors
    monkeypatch.setattr(table_memory, "least_factors", lambda *a: built.append(a) or really(*a))
    with FactorTable(4 * BLOCK - 2, path) as table:
        assert built == [(3 * ENTRIES, ENTRIES)]
        for n in range(4 * BLOCK - 50, 4 * BLOCK - 1):
            assert table.factor(n) == by_trial(n)
    after = path.read_bytes()
    assert after[LEAST_FACTORS.blocks_at : len(before)] == before[LEAST_FACTORS.blocks_at :]
    assert len(after) == len(before) + LEAST_FACTORS.block


def test_a_file_and_memory_say_the_same(path):
    with FactorTable(BLOCK + 999, path) as one, FactorTable(BLOCK + 999) as other:
        assert (one.totients() == other.totients()).all()
        numbers = np.arange(1, BLOCK + 999, 97)
        assert (one.many(numbers).primes == other.many(numbers).primes).all()


@pytest.mark.parametrize(
    "content", [b"x", b"not a table of factors " * 9, b"\x89PSprime" + bytes(60)]
)
def test_a_file_of_another_format_is_refused_and_left_alone(tmp_path, content):
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"other\.bin is no file of factors"):
        FactorTable(100, path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("block", range(3))
def test_a_bit_that_flips_is_seen_when_it_would_be_used(path, block):
    raw = bytearray(path.read_bytes())
    raw[LEAST_FACTORS.blocks_at + block * LEAST_FACTORS.block + 4_321] ^= 4
    path.write_bytes(raw)
    with FactorTable(2 * BLOCK, path) as table:
        for i in range(2):
            if i != block:
                assert table[i * BLOCK + 91] == by_trial(i * BLOCK + 91)[0]
                continue
            for _ in range(2):
                with pytest.raises(DamagedFile, match=rf"factors\.bin is damaged: block {i}"):
                    table[i * BLOCK + 91]
        for ask in (table.totients, lambda: table.many([91])):
            with pytest.raises(DamagedFile, match=f"block {block}"):
                ask()


@pytest.mark.parametrize("lost", [1, LEAST_FACTORS.block, 3 * LEAST_FACTORS.block])
def test_a_file_that_lost_its_end_is_named(path, lost):
    os.truncate(path, path.stat().st_size - lost)
    with pytest.raises(DamagedFile, match=r"factors\.bin is damaged: its end is missing"):
        FactorTable(100, path)


@pytest.mark.parametrize("place", range(0, block_file.HEADER.size, 3))
def test_a_header_that_changed_is_seen(path, place):
    raw = bytearray(path.read_bytes())
    raw[place] ^= 64
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=r"factors\.bin is"):
        FactorTable(100, path)


def test_where_it_cannot_be_written_what_is_missing_is_built_in_memory(
    path, nothing_can_be_written
):
    before = path.read_bytes()
    with FactorTable(4 * BLOCK, path) as table:
        for n in (91, 3 * BLOCK - 1, 3 * BLOCK + 1, 4 * BLOCK - 1):
            assert table.factor(n) == by_trial(n)
    assert path.read_bytes() == before


WRITER = """
import sys
from pyspeedup.algorithms import FactorTable
print("begun", flush=True)
for n in range(1, 60):
    FactorTable(n * (1 << 20), sys.argv[1]).close()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
@pytest.mark.parametrize("seconds", [0.1, 0.2])
def test_a_killed_writer_leaves_a_good_file(tmp_path, seconds):
    path = tmp_path / "factors.bin"
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    with FactorTable(3 * BLOCK, path) as table, FactorTable(3 * BLOCK) as apart:
        assert (table.sigma() == apart.sigma()).all()


def test_two_processes_write_one_file(tmp_path):
    path = tmp_path / "factors.bin"
    program = WRITER.replace("60", "5")
    writers = [
        subprocess.Popen([sys.executable, "-c", program, path], stdout=subprocess.DEVNULL)
        for _ in range(2)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with FactorTable(4 * BLOCK, path) as table, FactorTable(4 * BLOCK) as apart:
        assert (table.moebius() == apart.moebius()).all()


def test_it_has_the_numbers_up_to_its_limit():
    table = FactorTable(12)
    assert [n in table for n in (-1, 0, 1, 12, 13)] == [False, False, True, True, False]
    assert list(table) == [1, 2, 3, 2, 5, 2, 7, 2, 3, 2, 11, 2]
    with pytest.raises(TypeError, match="n must be an integer"):
        2.5 in table  # noqa: B015 -- the question is the test
