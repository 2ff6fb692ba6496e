"""Primes in a file: found again, extended, shared, and never believed when damaged."""

import os
import pickle
import signal
import subprocess
import sys
import time
import zlib

import pytest
from pyspeedup.algorithms import DamagedFile, Primes, prime_pi, primes
from pyspeedup.algorithms._sieving import block_file, kept, known
from pyspeedup.algorithms._sieving.block_file import HEADER, HEADER_ROOM, BlockFile, Layout
from pyspeedup.algorithms.sieve import BLOCK, NUMBERS_A_BLOCK

BLOCKS_AT = kept.PRIMES.blocks_at
SIX = 6 * NUMBERS_A_BLOCK - 1


@pytest.fixture
def path(tmp_path):
    return tmp_path / "primes.bin"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    path = tmp_path_factory.mktemp("primes") / "primes.bin"
    with primes.open(path) as ours:
        ours.below(SIX)
    return path.read_bytes()


@pytest.fixture
def six(path, made_once):
    """Return the path of a file of six blocks."""
    path.write_bytes(made_once)
    return path


@pytest.fixture
def sieving_fails(monkeypatch):
    def fail(*_):
        raise AssertionError("it is sieved again")

    monkeypatch.setattr(known, "_sieved", fail)


def size_of(blocks):
    return BLOCKS_AT + blocks * BLOCK


def test_what_was_sieved_is_there_the_next_time(six, sieving_fails):
    assert six.stat().st_size == size_of(6)
    with primes.open(str(six)) as ours:
        assert ours[300_000] == 4_256_249
        assert ours[:3] == [2, 3, 5]
        assert ours.count(1_000_000) == 78_498  # OEIS A006880
        assert ours.between(10**6, 10**6 + 40).tolist() == [
            1_000_003,
            1_000_033,
            1_000_037,
            1_000_039,
        ]
        assert len(ours.below(4 * 10**6)) == 283_146


def test_the_next_run_extends_it_and_leaves_what_is_there(six, monkeypatch):
    before = six.read_bytes()
    sieved = []
    really = known._sieved
    monkeypatch.setattr(known, "_sieved", lambda *a: sieved.append(a) or really(*a))
    with primes.open(six) as ours:
        assert ours.count(10**7) == 664_579
    assert sieved == [(6, 5)]
    after = six.read_bytes()
    assert after[BLOCKS_AT : len(before)] == before[BLOCKS_AT:]
    assert len(after) == size_of(11)


def test_much_is_written_at_once_and_not_only_at_the_end(path):
    with primes.open(path) as ours:
        ours.below(70 * NUMBERS_A_BLOCK)
        with primes.open(path) as others:
            assert len(others.below(70 * NUMBERS_A_BLOCK)) == others._known.known
            assert repr(ours) == repr(others)


def test_closing_again_and_using_again_are_harmless(six):
    ours = primes.open(six)
    ours.close()
    ours.close()
    assert ours[10] == 31
    ours.close()


def test_it_travels_by_the_path(six):
    with primes.open(six) as ours, pickle.loads(pickle.dumps(ours)) as theirs:
        assert theirs._path == ours._path == str(six)
        assert theirs[5] == 13


def test_an_empty_file_is_one_that_is_new(path):
    path.touch()
    with primes.open(path) as ours:
        assert ours[0] == 2
    assert path.stat().st_size == size_of(1)


def test_the_format_is_the_one_that_is_described(six):
    raw = six.read_bytes()
    magic, version, block, capacity, blocks, entries_crc, crc = HEADER.unpack(raw[: HEADER.size])
    assert (magic, version, block, capacity, blocks) == (b"\x89PSprime", 1, 1 << 15, 1 << 16, 6)
    assert crc == zlib.crc32(raw[: HEADER.size - 4])
    assert entries_crc == zlib.crc32(raw[HEADER_ROOM : HEADER_ROOM + 6 * 16])
    assert raw[BLOCKS_AT] == 0b1111_1110


@pytest.mark.parametrize(
    "content", [b"x", b"a diary, not a file of primes " * 9, b"\x89PSfactr" + bytes(60)]
)
def test_a_file_of_another_format_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"primes\.bin is no file of primes"):
        primes.open(path)
    assert path.read_bytes() == content


def test_a_file_of_a_later_version_is_refused_and_left_alone(six, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(block_file, "VERSION", 2)
        six.unlink()
        with primes.open(six) as ours:
            ours[0]
    before = six.read_bytes()
    with pytest.raises(ValueError, match=r"of version 2; this is 1"):
        primes.open(six)
    assert six.read_bytes() == before


@pytest.mark.parametrize("bit", range(0, HEADER.size * 8, 9))
def test_any_bit_of_the_header_that_flips_is_seen(six, bit):
    flip(six, bit // 8, 1 << bit % 8)
    with pytest.raises(ValueError, match=r"primes\.bin is"):
        primes.open(six)


@pytest.mark.parametrize("place", range(0, 6 * 16, 13))
def test_any_bit_of_the_directory_that_flips_is_seen(six, place):
    flip(six, HEADER_ROOM + place, 16)
    with pytest.raises(DamagedFile, match=r"primes\.bin is damaged: its directory"):
        primes.open(six)


@pytest.mark.parametrize("block", range(6))
def test_a_bit_of_a_block_that_flips_is_seen_when_it_is_used(six, block):
    flip(six, BLOCKS_AT + block * BLOCK + 12_345, 1)
    with primes.open(six) as ours:
        asked = 0
        for i in range(6):
            a = i * NUMBERS_A_BLOCK
            if i == block:
                with pytest.raises(DamagedFile, match=f"damaged: block {i} is not") as raised:
                    ours.between(a, a + 100)
                assert raised.value.path == str(six)
                with pytest.raises(DamagedFile):
                    ours.count(a + 100)
                continue
            ours.between(a, a + 100)
            asked += 1
        assert asked == 5
    assert six.stat().st_size == size_of(6)


@pytest.mark.parametrize(
    "lost", [1, BLOCK, 5 * BLOCK + 7, 6 * BLOCK, size_of(6) - 100, size_of(6) - 39]
)
def test_a_file_that_lost_its_end_is_named(six, lost):
    os.truncate(six, size_of(6) - lost)
    with pytest.raises(DamagedFile, match=r"primes\.bin is damaged"):
        primes.open(six)


def test_what_was_written_in_part_is_not_taken_for_there_and_written_again(six):
    with six.open("ab") as file:
        file.write(b"\xff" * 40_000)
    with primes.open(six) as ours:
        assert ours.count(10**7) == 664_579
    with primes.open(six) as ours:
        assert ours.count(10**7) == 664_579
    assert six.stat().st_size == size_of(11)


class Ended(BaseException):
    """As if the power had failed."""


@pytest.mark.parametrize("writes", range(3))
def test_wherever_the_writing_ends_the_file_is_as_before_or_after(six, monkeypatch, writes):
    left = [writes]

    def write(fd, data, offset):
        if left[0] == 0:
            os.pwrite(fd, data[: len(data) // 2 if len(data) > 64 else 0], offset)
            raise Ended
        left[0] -= 1
        os.pwrite(fd, data, offset)

    ours = primes.open(six)
    with monkeypatch.context() as failing:
        failing.setattr(block_file, "_write_at", write)
        with pytest.raises(Ended):
            ours.below(100 * NUMBERS_A_BLOCK)
        assert left == [0]
    with primes.open(six) as after:
        assert after._known.known == prime_pi(SIX)
        assert after.count(10**7) == 664_579
    assert len(ours.below(100 * NUMBERS_A_BLOCK)) == prime_pi(100 * NUMBERS_A_BLOCK)
    ours.close()


def test_a_full_disk_is_said_and_leaves_all_usable(six, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    with primes.open(six) as ours:
        with monkeypatch.context() as failing:
            failing.setattr(block_file, "_write_at", full)
            with pytest.raises(OSError, match="No space"):
                ours.below(80 * NUMBERS_A_BLOCK)
        assert ours.count(10**7) == 664_579
    with primes.open(six) as ours:
        assert ours._known.limit == 80 * NUMBERS_A_BLOCK


def test_where_it_cannot_be_written_it_is_read_and_the_rest_stays_in_memory(
    six, nothing_can_be_written
):
    before = six.read_bytes()
    with primes.open(six) as ours:
        assert ours[300_000] == 4_256_249
        assert len(ours.below(80 * NUMBERS_A_BLOCK)) == ours._known.known
    assert six.read_bytes() == before
    with pytest.raises(PermissionError):
        primes.open(six.parent / "another.bin")


def test_a_folder_that_is_not_there_is_the_systems_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        primes.open(tmp_path / "nowhere" / "primes.bin")
    with pytest.raises(IsADirectoryError if os.name == "posix" else PermissionError):
        primes.open(tmp_path)
    with pytest.raises(TypeError):
        primes.open(3.5)


def test_more_than_the_file_has_room_for_stays_in_memory(path, monkeypatch):
    monkeypatch.setattr(kept, "PRIMES", Layout(b"\x89PSprime", "primes", BLOCK, 3))
    with primes.open(path) as ours:
        assert len(ours.below(70 * NUMBERS_A_BLOCK)) == ours._known.known
        assert ours[300_000] == 4_256_249
    with primes.open(path) as ours:
        assert ours._known.limit == 3 * NUMBERS_A_BLOCK
        assert ours[300_000] == 4_256_249


def test_two_that_extend_it_at_once_agree(path):
    with primes.open(path) as one, primes.open(path) as two:
        one.below(20 * NUMBERS_A_BLOCK)
        two.below(10 * NUMBERS_A_BLOCK)
        one.close()
        two.below(90 * NUMBERS_A_BLOCK)
    with Primes() as apart, primes.open(path) as ours:
        assert ours._known.limit == 90 * NUMBERS_A_BLOCK
        assert (ours.below(90 * NUMBERS_A_BLOCK) == apart.below(90 * NUMBERS_A_BLOCK)).all()


WRITER = """
import sys
from pyspeedup.algorithms import primes
with primes.open(sys.argv[1]) as ours:
    print("begun", flush=True)
    for i in range(1, 10**6):
        ours.below(i * 64 * 983_040)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no such signal")
@pytest.mark.parametrize("seconds", [0.02, 0.08])
def test_a_killed_writer_leaves_a_good_file(path, seconds):
    with subprocess.Popen([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE) as writer:
        assert writer.stdout.readline() == b"begun\n"
        time.sleep(seconds)
        writer.kill()
    assert writer.returncode == -signal.SIGKILL
    with Primes() as apart, primes.open(path) as ours:
        limit = min(ours._known.limit, 256 * NUMBERS_A_BLOCK)
        assert (ours.below(limit) == apart.below(limit)).all()
        assert ours.count(10**7) == 664_579


LEAVING = """
import sys
from pyspeedup.algorithms import primes
ours = primes.open(sys.argv[1])
print(ours[10**5])
"""


def test_a_program_that_ends_without_closing_has_kept_them(path):
    result = subprocess.run(
        [sys.executable, "-c", LEAVING, path], capture_output=True, check=False, timeout=60
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"1299721\n", b"")
    assert path.stat().st_size == size_of(2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_child_leaves_the_parents_file_to_the_parent(six):
    with primes.open(six) as ours:
        assert ours[500_000] == 7_368_791
        pid = os.fork()
        if pid == 0:
            os._exit(0 if ours[400_000] == 5_800_139 and ours._known.limit == SIX + 1 else 1)
        assert os.waitpid(pid, 0)[1] == 0
    assert six.stat().st_size == size_of(8)


def test_two_processes_write_one_file(path):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER.replace("10**6", "3"), path], stdout=subprocess.DEVNULL
        )
        for _ in range(2)
    ]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    with Primes() as apart, primes.open(path) as ours:
        assert ours._known.limit == 2 * 64 * NUMBERS_A_BLOCK
        assert (ours.below(10**8) == apart.below(10**8)).all()


def test_a_block_file_reads_what_it_was_given(tmp_path):
    layout = Layout(b"magic!!!", "things", 8, 5)
    path = str(tmp_path / "things")
    file = BlockFile(path, layout)
    file.extend([7, 8], [b"12345678", b"abcdefgh"])
    other = BlockFile(path, layout)
    file.extend([9], [b"ABCDEFGH"])
    assert (len(other), other.note(1), other.read(1)) == (2, 8, b"abcdefgh")
    other.refresh()
    assert (len(other), other.note(2), other.read(2)) == (3, 9, b"ABCDEFGH")
    with other.mapped() as memory:
        assert memory[layout.blocks_at :] == b"12345678abcdefghABCDEFGH"
    file.close()
    other.close()
    other.close()
    assert other.closed


def flip(path, place, bits):
    raw = bytearray(path.read_bytes())
    raw[place] ^= bits
    path.write_bytes(raw)
