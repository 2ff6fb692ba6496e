"""The bytes of a page of a list, and plain values that become them many at a time."""

from __future__ import annotations

import contextlib
import pickle

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pyspeedup.memory._list.plain import encode_many, is_late
from pyspeedup.memory._list.records import (
    OwnPage,
    Records,
    encoded,
    peek_bodies,
    peek_body,
    seed_of,
)
from pyspeedup.memory._pages.bodies import PickleCodec

SEED = 7

bodies = st.lists(
    st.one_of(
        st.binary(max_size=20),
        st.builds(OwnPage, st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1)),
    ),
    max_size=9,
)


def peek_of(image):
    return lambda _page, start, stop: image[start:stop]


@given(bodies)
def test_a_page_read_again_is_the_same(rows):
    records = Records(encoded(rows, SEED))
    every = range(len(rows))
    assert len(records) == len(rows)
    assert records.bodies(0, len(rows)) == [records.body(row) for row in every] == rows
    assert records.own_pages() == [body for body in rows if type(body) is OwnPage]
    assert records.size == sum(16 if type(body) is OwnPage else len(body) for body in rows)
    for start in every:
        assert records.bodies(start, len(rows)) == rows[start:]


@given(bodies)
def test_rows_that_are_peeked_at_are_those_that_were_written(rows):
    peek = peek_of(encoded(rows, SEED))
    every = range(len(rows))
    assert [peek_body(peek, 0, len(rows), row, SEED) for row in every] == rows
    for start in every:
        places = range(start, len(rows))
        assert peek_bodies(peek, 0, len(rows), places, SEED) == rows[start:]


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5), st.data())
def test_a_flipped_bit_is_found_by_whoever_peeks_or_harms_nothing(rows, data):
    image = bytearray(encoded(rows, SEED))
    bit = data.draw(st.integers(0, 8 * len(image) - 1))
    image[bit // 8] ^= 1 << bit % 8
    peek = peek_of(bytes(image))
    found = 0
    for row, body in enumerate(rows):
        try:
            assert peek_body(peek, 0, len(rows), row, SEED) == body
        except ValueError:
            found += 1
    assert found or bit < 64 * (len(rows) + 1)  # some ends of the last row clip to the same body
    with contextlib.suppress(ValueError):
        assert peek_bodies(peek, 0, len(rows), range(len(rows)), SEED) == rows


@given(st.lists(st.binary(max_size=6), min_size=1, max_size=5), st.data())
def test_a_page_that_is_cut_short_is_found(rows, data):
    image = encoded(rows, SEED)
    length = data.draw(st.integers(0, len(image) - 1))
    with pytest.raises(ValueError, match=r"^it"):
        Records(image[:length])
    with pytest.raises(ValueError, match=r"it is cut short|check of a row"):
        peek_bodies(peek_of(image[:length]), 0, len(rows), range(len(rows)), SEED)
    with pytest.raises(ValueError, match=r"^it"):
        Records(image + b"\0")


def test_rows_of_another_page_or_store_do_not_match():
    image = encoded([b"spam"], seed_of(1, 5))
    assert peek_body(peek_of(image), 5, 1, 0, seed_of(1, 5)) == b"spam"
    for other in (seed_of(1, 6), seed_of(2, 5)):
        with pytest.raises(ValueError, match="check of a row"):
            peek_body(peek_of(image), 5, 1, 0, other)


def test_pages_have_other_seeds_than_their_neighbours():
    assert len({seed_of(3, page) for page in range(10_000)}) == 10_000


@given(bodies, st.data())
def test_a_page_is_patched_as_a_list_of_bodies_is(rows, data):
    places = st.integers(0, len(rows) - 1) if rows else st.nothing()
    changes = data.draw(st.dictionaries(places, st.binary(max_size=30)))
    patched = Records(encoded(rows, SEED)).patched(changes, SEED)
    expected = [changes.get(row, body) for row, body in enumerate(rows)]
    assert Records(patched).bodies(0, len(rows)) == expected
    peek = peek_of(patched)
    assert [peek_body(peek, 0, len(rows), row, SEED) for row in range(len(rows))] == expected
    if OwnPage not in set(map(type, rows)):
        assert patched == encoded(expected, SEED)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=9), st.data(), st.booleans())
def test_reach_takes_as_many_rows_as_fit_but_one_at_least(lengths, data, is_elsewhere):
    rows = [OwnPage(1, length) if is_elsewhere else bytes(length) for length in lengths]
    row = data.draw(st.integers(0, len(lengths) - 1))
    size = data.draw(st.integers(0, 30))
    stop = Records(encoded(rows, SEED)).reach(row, size)
    assert stop == row + 1 or sum(lengths[row:stop]) <= size
    assert stop == len(lengths) or sum(lengths[row : stop + 1]) > size


def test_the_format_is_fixed():
    """Stores on disk are made of this: a change of it needs another format version."""
    image = encoded([b"value", b"", OwnPage(7, 9)], seed=1)
    assert image.hex(" ", -4) == (
        "00000080 03000000 05000000 84711720 05000000 01000000 15000080 65c69a5f "
        "76616c75 65070000 00000000 00090000 00000000 00"
    )


# Plain values

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from([2**70, -(2**300), "\ud800", "x" * 300]),
)
flat = st.one_of(scalars, st.lists(scalars, max_size=5).map(tuple))


@given(st.lists(flat, max_size=300))
@example([("a", "a"), "a"] * 200)
@example([()])
def test_values_encoded_at_once_are_those_that_are_read(values):
    made = encode_many(values)
    codec = PickleCodec()
    assert made is not None
    assert len(made) == len(values)
    read = [codec.decode(body) for body in made]
    assert [(type(value), value) for value in read] == [(type(value), value) for value in values]
    together = codec.decode_many([b"".join(made)]) if made else []
    assert together == values


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize("value", [[], Text("a"), (1, []), ((),), {1}, 1j, object()])
def test_whatever_is_not_plain_is_encoded_alone(value):
    assert encode_many([1, value]) is None
    assert not is_late(value)


def test_long_texts_are_encoded_alone():
    assert encode_many(["x" * 100_000] * 9) is None
    assert encode_many([("x" * 100_000,)] * 9) is None
    assert encode_many(["x" * 100] * 999) is not None


@pytest.mark.parametrize("value", ["x" * 1000, b"x" * 1000, 1 << 10_000, ("x" * 1000,), (0,) * 99])
def test_large_values_do_not_wait(value):
    assert not is_late(value)


@given(flat)
def test_what_waits_can_be_encoded(value):
    if is_late(value):
        assert len(pickle.dumps(value, 3)) < 2_000
        assert encode_many([value]) is not None
