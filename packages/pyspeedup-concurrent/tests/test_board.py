"""What one worker puts on the board, others read there: claims and results, and whoever dies frees his."""

import bisect
import os
import pickle
import sys
from pathlib import Path

import pytest
from pyspeedup.concurrent._caching import board as _board
from pyspeedup.concurrent._caching import board_log as _log
from pyspeedup.concurrent._caching import board_region as _region
from pyspeedup.concurrent._caching.board import (
    Board,
    BoardMemory,
    Done,
    Running,
    Unshared,
    Wait,
)

PAGE = 4096


@pytest.fixture
def seats():
    """Return what makes a memory with boards at all of its places."""
    made = []

    def make(places=2, **sizes):
        memory = BoardMemory(places, **sizes)
        boards = [Board(memory, place, place + 1) for place in range(places)]
        made.extend([*boards, memory])
        return memory, *boards

    yield make
    for one in made:
        one.close()


def descriptors():
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.fixture
def same_tags(monkeypatch):
    """Let all keys of a length be taken for one another at first sight."""
    monkeypatch.setattr(_board, "_tag_of", lambda key: len(key) << 32 | 5)


# Looking, claiming, publishing ------------------------------------------------------------------


def test_of_what_nobody_has_begun_nothing_is_known(seats):
    _, board, _ = seats()
    assert board.look(b"f(1)") is None


def test_a_claim_is_seen_by_all_and_had_by_one(seats):
    _, board, other = seats()
    assert board.claim(b"f(1)", 7) is None
    assert other.claim(b"f(1)", 8) == other.look(b"f(1)") == Running(0, 7, mine=False)
    assert board.claim(b"f(1)", 9) == board.look(b"f(1)") == Running(0, 7, mine=True)
    assert other.claim(b"f(2)", 8) is None


@pytest.mark.parametrize("data", [b"", b"six", bytes(range(256)) * 999])
@pytest.mark.parametrize("key", [b"", b"f(1)", b"k" * 100_000])
def test_what_is_published_is_read_by_all(seats, key, data):
    _, board, other = seats()
    assert board.claim(key, 7) is None
    assert board.publish(key, data, 0.25) == set()
    assert board.look(key) == other.look(key) == other.claim(key, 8) == Done(data, 0.25)


def test_what_failed_is_free_again(seats):
    _, board, other = seats()
    board.claim(b"f(1)", 7)
    board.publish(b"f(1)", None, 0.25)
    assert board.look(b"f(1)") is None
    assert other.claim(b"f(1)", 8) is None


def test_a_call_that_nobody_claimed_may_be_published(seats):
    _, board, other = seats()
    board.publish(b"f(1)", b"one", 1.0)
    assert other.look(b"f(1)") == Done(b"one", 1.0)
    other.claim(b"f(2)", 8)
    board.publish(b"f(2)", b"two", 1.0)  # somebody runs it: that goes its way
    assert board.look(b"f(2)") == Running(1, 8, mine=False)
    board.publish(b"f(3)", None, 1.0)
    assert other.look(b"f(3)") is None


def test_keys_are_compared_in_full(seats, same_tags):
    _, board, other = seats()
    board.claim(b"f(1)", 7)
    board.publish(b"f(1)", b"one", 1.0)
    assert other.look(b"f(2)") is None
    assert other.claim(b"f(2)", 8) is None
    other.publish(b"f(2)", b"two", 2.0)
    assert board.look(b"f(2)") == Done(b"two", 2.0)
    assert board.look(b"f(1)") in (None, Done(b"one", 1.0))


def test_sums_of_keys_do_not_depend_on_the_hash_seed(run_program):
    program = """
    import sys
    from pyspeedup.concurrent._caching import board
    print([board._tag_of(key) for key in (b"", b"f(1)", bytes(9999))])
    """
    assert run_program(program).stdout == f"{[*map(_board._tag_of, (b'', b'f(1)', bytes(9999)))]}\n"


def test_what_a_stack_leaves_is_freed_when_it_ends(seats):
    _, board, other = seats()
    for key, stack in [(b"f(1)", 7), (b"f(2)", 7), (b"f(3)", 9)]:
        board.claim(key, stack)
    other.wait(b"f(2)", 8)
    assert board.abandon(7) == {1}
    assert board.abandon(7) == set()
    assert (other.look(b"f(1)"), other.look(b"f(2)")) == (None, None)
    assert other.look(b"f(3)") == Running(0, 9, mine=False)


@pytest.mark.parametrize("room", range(14))
def test_wherever_a_recursion_becomes_too_deep_nothing_is_claimed_for_ever(seats, room):
    memory, board, other = seats()

    def sink(depth, call, *arguments):
        return sink(depth - 1, call, *arguments) if depth else call(*arguments)

    def reaches(depth):
        try:
            sink(depth, int)
        except RecursionError:
            return False
        return True

    deepest = bisect.bisect(range(sys.getrecursionlimit()), False, key=lambda n: not reaches(n)) - 1

    def too_deep(call, *arguments):
        """Call with room for few frames more."""
        try:
            sink(deepest - room, call, *arguments)
        except RecursionError:
            return True
        return False

    failed = too_deep(board.claim, b"f(1)", 7)
    assert other.look(b"f(1)") in ({None} if failed else {Running(0, 7, mine=False)})
    board.claim(b"f(2)", 7)
    failed = too_deep(board.publish, b"f(2)", bytes(99), 1.0)
    board.abandon(7)
    assert other.look(b"f(2)") in ({None} if failed else {Done(bytes(99), 1.0)})
    too_deep(other.wait, b"f(2)", 8)
    assert not memory.region._has_lock
    assert board.claim(b"f(3)", 7) is None
    board.publish(b"f(3)", b"three", 1.0)
    assert other.look(b"f(3)") == Done(b"three", 1.0)


# No room ----------------------------------------------------------------------------------------


def test_old_results_make_room_and_running_calls_do_not(seats):
    _, board, other = seats(buckets=1)
    for number in range(4):
        board.publish(b"%d" % number, b"old", 1.0)
    for number in range(4):
        assert board.claim(b"new %d" % number, number) is None
    assert [board.look(b"%d" % number) for number in range(4)] == [None] * 4
    assert isinstance(other.claim(b"one more", 8), Unshared)
    assert other.counts.unshared == 1
    other.publish(b"one more", b"told to nobody", 1.0)
    assert board.look(b"one more") is None
    assert [other.look(b"new %d" % n) for n in range(4)] == [Running(0, n, False) for n in range(4)]
    board.publish(b"new 2", None, 1.0)
    assert other.claim(b"one more", 8) is None


@pytest.mark.parametrize("claimed", [True, False])
def test_each_slot_is_dropped_in_turn(seats, claimed):
    _, board, other = seats(buckets=1)
    for number in range(40):
        if claimed:
            board.claim(b"%d" % number, 1)
        board.publish(b"%d" % number, b"", 1.0)
    assert [number for number in range(40) if other.look(b"%d" % number)] == [36, 37, 38, 39]


def test_results_stay_until_the_log_begins_anew(seats):
    _, board, other = seats(log=PAGE)
    size = 128 - _log._START - 2
    for number in range(PAGE // 128):
        board.publish(b"%02d" % number, bytes(size), 1.0)
    assert [other.look(b"%02d" % n) for n in range(PAGE // 128)] == [Done(bytes(size), 1.0)] * 32
    board.publish(b"32", bytes(size), 1.0)
    assert [n for n in range(33) if other.look(b"%02d" % n)] == [32]


def test_claims_outlast_the_rounds_of_the_log(seats):
    _, board, other = seats(log=PAGE)
    board.claim(b"f(1)", 7)
    for number in range(100):
        board.publish(b"%02d" % number, bytes(200), 1.0)
    assert other.look(b"f(1)") == Running(0, 7, mine=False)
    board.publish(b"f(1)", b"one", 1.0)
    assert other.look(b"f(1)") == Done(b"one", 1.0)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="processes cannot read such files here")
def test_a_value_too_large_for_the_log_has_a_file_of_its_own(seats):
    _, board, other = seats(log=PAGE)
    large, larger = os.urandom(3000), os.urandom(3 * PAGE)
    board.publish(b"f(1)", large, 1.0)
    assert other.look(b"f(1)") == Done(large, 1.0)
    board.publish(b"f(2)", larger, 2.0)  # which is more than all are to take together
    assert other.look(b"f(2)") == Done(larger, 2.0)
    assert other.look(b"f(1)") is None
    board.close()
    assert other.look(b"f(2)") is None


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="processes cannot read such files here")
def test_files_of_values_end_with_the_round(seats):
    _, board, other = seats(log=PAGE)
    before = descriptors()
    board.publish(b"f(1)", bytes(2000), 1.0)
    for number in range(PAGE // 200):
        assert other.look(b"f(1)") is not None or number > 15
        board.publish(b"%02d" % number, bytes(200), 1.0)
    assert other.look(b"f(1)") is None
    assert descriptors() == before


def test_a_file_that_is_not_the_one_that_was_kept_is_not_read():
    kept = _region.keep_bytes(b"value")
    if kept is None:
        pytest.skip("processes cannot read such files here")
    descriptor, number = kept
    try:
        assert _region.read_kept(os.getpid(), descriptor, number, 5) == b"value"
        assert _region.read_kept(os.getpid(), descriptor, number + 1, 5) is None
        assert _region.read_kept(os.getpid(), descriptor, number, 6) is None
    finally:
        os.close(descriptor)
    assert _region.read_kept(os.getpid(), descriptor, number, 5) is None


def test_a_key_too_large_for_the_log_is_claimed_and_its_result_is_not_told(seats):
    _, board, other = seats(log=PAGE)
    key = bytes(2000)
    assert board.claim(key, 7) is None
    assert other.wait(key, 8) is Wait.WAITING
    assert board.publish(key, b"", 1.0) == {1}
    assert other.look(key) is None
    assert board.counts.unpublished == 1


def test_where_memory_ends_the_log_goes_on_with_what_it_has(seats, monkeypatch):
    memory, board, other = seats(log=4 * _log.STEP)
    board.publish(b"f(1)", b"one", 1.0)

    def refuse(start, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(memory.region, "reserve", refuse)
    for number in range(9):
        board.publish(b"%d" % number, bytes(_log.STEP // 2), 1.0)
        assert other.look(b"%d" % number) == Done(bytes(_log.STEP // 2), 1.0)
    assert other.claim(b"f(2)", 8) is None
    other.publish(b"f(2)", b"two", 1.0)  # whose log has no memory at all
    assert board.look(b"f(2)") is None
    assert (board.counts.unpublished, other.counts.unpublished) == (0, 1)


# Damage -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("byte", range(0, 40, 3))
def test_a_damaged_record_is_not_read(seats, byte):
    memory, board, other = seats()
    board.publish(b"f(1)", b"a value", 1.0)
    assert other.look(b"f(1)") == Done(b"a value", 1.0)
    size = _log._START + len(b"f(1)" + b"a value")
    memory.buffer[memory.log_at(0) + byte % size] ^= 255
    assert other.look(b"f(1)") is None


def test_a_record_that_is_overwritten_while_it_is_read_is_not_believed(seats, monkeypatch):
    _, board, other = seats(log=PAGE)
    for number in range(PAGE // 256):
        board.publish(b"%02d" % number, bytes([number]) * 200, 1.0)
    overwritten = []

    monkeypatch.setattr(_log, "_HEAD", _OverwritingHead(_log._HEAD, board, overwritten))
    assert other.look(b"00") is None
    assert overwritten


class _OverwritingHead:
    """Has the writer begin a new round after a head was read, and before the rest is."""

    def __init__(self, head, board, done):
        self.size, self.pack = head.size, head.pack
        self._head, self._board, self._done = head, board, done

    def unpack_from(self, buffer, offset):
        found = self._head.unpack_from(buffer, offset)
        self._done.append(found)
        for number in range(PAGE // 256 + 1):
            self._board.publish(b"%02d" % (number + 50), bytes([99]) * 200, 1.0)
        return found


def test_half_a_record_of_a_dead_worker_harms_nobody(seats):
    memory, board, other = seats()
    board.publish(b"f(1)", b"one", 1.0)
    board._log._take(500)  # where it died writing
    memory.bury(1)
    heir = Board(memory, 0, 3)
    heir.publish(b"f(2)", b"two", 1.0)
    assert other.look(b"f(1)") == Done(b"one", 1.0)
    assert other.look(b"f(2)") == Done(b"two", 1.0)


# Waiting ----------------------------------------------------------------------------------------


def test_who_waits_is_named_when_it_is_published(seats):
    _, board, other, third, fourth = seats(4)
    board.claim(b"f(1)", 7)
    assert other.wait(b"f(1)", 8) is Wait.WAITING
    assert fourth.wait(b"f(1)", 9) is Wait.WAITING
    assert fourth.wait(b"f(1)", 9) is Wait.WAITING
    assert board.publish(b"f(1)", b"one", 1.0) == {1, 3}
    assert third.look(b"f(1)") == Done(b"one", 1.0)


def test_who_waits_for_what_fails_is_named_too(seats):
    _, board, other = seats()
    board.claim(b"f(1)", 7)
    other.wait(b"f(1)", 8)
    assert board.publish(b"f(1)", None, 1.0) == {1}


def test_nobody_is_named_who_waited_for_an_earlier_claim(seats):
    _, board, other = seats()
    board.claim(b"f(1)", 7)
    other.wait(b"f(1)", 8)
    assert board.publish(b"f(1)", None, 1.0) == {1}
    board.claim(b"f(1)", 7)
    assert board.publish(b"f(1)", b"one", 1.0) == set()


def test_of_many_places_too_many_are_named_and_none_is_left_out(seats):
    _, board, *others = seats(130)
    board.claim(b"f(1)", 7)
    others[64].wait(b"f(1)", 8)
    assert board.publish(b"f(1)", b"one", 1.0) == {1, 65, 129}


def test_nobody_waits_for_what_does_not_run(seats):
    _, board, other = seats()
    assert other.wait(b"f(1)", 8) is Wait.GONE
    board.publish(b"f(1)", b"one", 1.0)
    assert other.wait(b"f(1)", 8) is Wait.GONE


def test_the_last_of_a_ring_is_told(seats):
    _, a, b, c = seats(3)
    a.claim(b"a", 1), b.claim(b"b", 2), c.claim(b"c", 3)
    assert a.wait(b"b", 1) is Wait.WAITING
    assert b.wait(b"c", 2) is Wait.WAITING
    assert c.wait(b"a", 3) is Wait.RING
    assert c.wait(b"a", 4) is Wait.WAITING  # another stack of the same worker
    assert a.wait(b"a", 1) is Wait.RING


def test_a_ring_through_stacks_of_one_worker_is_told_too(seats):
    _, a, _ = seats()
    a.claim(b"a", 1), a.claim(b"b", 2)
    assert a.wait(b"b", 1) is Wait.WAITING
    assert a.wait(b"a", 2) is Wait.RING


def test_who_waits_no_longer_closes_no_ring(seats):
    _, a, b = seats()
    a.claim(b"a", 1), b.claim(b"b", 2)
    a.wait(b"b", 1)
    a.unwait(1)
    a.unwait(1)
    assert b.wait(b"a", 2) is Wait.WAITING
    b.unwait(2)
    a.wait(b"b", 1)
    b.publish(b"b", b"", 1.0)  # what it waited for is there, though it has not looked yet
    b.claim(b"c", 2)
    assert b.wait(b"a", 2) is Wait.WAITING


def test_a_ring_that_was_missed_is_told_when_somebody_asks_again(seats, monkeypatch):
    _, a, b, c = seats(3)
    a.claim(b"a", 1), b.claim(b"b", 2)
    with monkeypatch.context() as patch:  # both look before either has noted it
        patch.setattr(Board, "_closes_ring", lambda *_: False)
        assert a.wait(b"b", 1) is b.wait(b"a", 2) is Wait.WAITING
    assert c.wait(b"a", 3) is Wait.WAITING  # which is not in the ring
    assert a.wait(b"b", 1) is Wait.RING
    assert b.wait(b"a", 2) is Wait.WAITING


def test_more_stacks_than_can_wait_compute_instead(seats):
    _, a, b = seats(waits=2)
    a.claim(b"a", 1)
    assert [b.wait(b"a", stack) for stack in (2, 3, 4)] == [Wait.WAITING, Wait.WAITING, Wait.RING]
    b.unwait(3)
    assert b.wait(b"a", 4) is Wait.WAITING


# Deaths -----------------------------------------------------------------------------------------


def test_the_claims_of_the_dead_are_free_and_their_results_stay(seats):
    memory, board, other = seats()
    board.publish(b"f(1)", b"one", 1.0)
    board.claim(b"f(2)", 7)
    memory.bury(1)
    assert other.look(b"f(2)") is None
    assert other.look(b"f(1)") == Done(b"one", 1.0)
    heir = Board(memory, 0, 3)
    heir.publish(b"f(3)", b"three", 1.0)
    assert heir.look(b"f(2)") is None
    assert other.claim(b"f(2)", 8) is None
    assert heir.look(b"f(2)") == Running(1, 8, mine=False)
    assert other.look(b"f(1)") == Done(b"one", 1.0)
    memory.bury(1)  # who is dead already, and nobody else is
    assert heir.look(b"f(2)") == Running(1, 8, mine=False)


def test_the_dead_do_not_wait(seats):
    memory, a, b = seats()
    a.claim(b"a", 1), b.claim(b"b", 2)
    a.wait(b"b", 1)
    memory.bury(1)
    heir = Board(memory, 0, 3)
    heir.claim(b"a", 1)
    assert b.wait(b"a", 2) is Wait.WAITING


# Where it lies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"places": 0}, "places"),
        ({"places": 5000}, "places"),
        ({"places": 1, "buckets": 3}, "buckets"),
        ({"places": 1, "buckets": 0}, "buckets"),
        ({"places": 1, "log": 0}, "log"),
        ({"places": 1, "log": 1 << 36}, "log"),
    ],
)
def test_sizes_that_cannot_be_are_named(arguments, name):
    with pytest.raises(ValueError, match=f"{name} must be .*, not {arguments[name]}"):
        BoardMemory(**arguments)


def test_a_place_that_is_not_there_is_named(seats):
    memory, _, _ = seats()
    with pytest.raises(ValueError, match="place must be 0 to 1, not 2"):
        Board(memory, 2, 9)


def test_memory_travels_only_to_a_child(seats):
    memory, *_ = seats()
    with pytest.raises(RuntimeError):
        pickle.dumps(memory)


def test_no_memory_at_all_is_an_error_and_leaves_nothing(monkeypatch):
    def refuse(self, start, size):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_region.Region, "reserve", refuse)
    with pytest.raises(OSError, match="No space"):
        BoardMemory(2)


def test_it_works_without_what_only_linux_has(seats, monkeypatch):
    monkeypatch.delattr(os, "memfd_create", raising=False)
    monkeypatch.delattr(os, "posix_fallocate", raising=False)
    _, board, other = seats(log=2 * _log.STEP)
    for number in range(9):
        board.claim(b"%d" % number, 7)
        board.publish(b"%d" % number, bytes(_log.STEP // 4), 1.0)
        assert other.look(b"%d" % number) == Done(bytes(_log.STEP // 4), 1.0)
    board.claim(b"large", 7)
    board.publish(b"large", bytes(_log.STEP), 1.0)
    assert other.look(b"large") is None
    assert board.counts.unpublished == 1


def test_it_works_without_file_locks(seats, monkeypatch):
    monkeypatch.delattr(os, "lockf", raising=False)
    memory, board, other = seats(log=PAGE)
    assert board.claim(b"f(1)", 7) is None
    assert other.wait(b"f(1)", 8) is Wait.WAITING
    assert board.publish(b"f(1)", b"one", 1.0) == {1}
    assert other.look(b"f(1)") == Done(b"one", 1.0)
    assert memory.region.missed == 2
