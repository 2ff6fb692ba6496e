"""The board on which worker processes tell each other who computes which call, and what it came to.

No process is asked: to look is to look at shared memory. What it says is advice. Functions are pure,
so a claim that is lost, by a death or a race, means that a call is computed twice, and never a wrong answer: a
result carries its key in full, and is compared. (Calls that *run* are told apart by 64 bits of sums of
their keys; taking one for another would mean waiting for the wrong one, and looking again.)

A claim needs the lock, so that one of two is first, and a wait needs it, so that the last of a ring sees
the others. Where the lock cannot be had both go on without. To look, to publish and to stop waiting need none.
"""

# Annotations are no strings here: NamedTuple compiles those, see `messages`.
import threading
import zlib
from enum import Enum
from typing import Final, NamedTuple

from pyspeedup.concurrent._caching import board_log as _log
from pyspeedup.concurrent._caching.board_log import Done
from pyspeedup.concurrent._caching.board_memory import (
    DONE,
    EPOCHS,
    MOST_PLACES,
    NUMBERS,
    ROUND,
    RUNNING,
    SLOTS,
    STACKS,
    STATES,
    WAITERS,
    WAITS,
    BoardMemory,
    state_word,
)

__all__ = ["Board", "BoardMemory", "Counts", "Done", "Running", "Unshared", "Wait"]

NOBODY: Final[frozenset[int]] = frozenset()
MASK_BITS: Final = 64
"""Places that wait are told apart by so many bits; where there are more places, too many are woken."""


class Running(NamedTuple):
    """A call is being computed: at which place, on which of its stacks, and whether that place is `mine`."""

    place: int
    stack: int
    mine: bool


class Unshared:
    """There is no room to claim a call: compute it, and there is nobody to tell."""

    __slots__ = ()


class Wait(Enum):
    """What became of the wish to wait."""

    WAITING = "a place to wake is noted; look again once woken, and from time to time"
    RING = "whom to wait for waits, itself or through others, for this stack: compute on the spot"
    GONE = "it runs no longer: look again"


class Counts:
    """What a board has done."""

    __slots__ = ("claimed", "published", "unpublished", "unshared")

    def __init__(self) -> None:
        """Count from 0."""
        self.claimed = 0
        self.unshared = 0
        """Claims refused for want of room."""
        self.published = 0
        self.unpublished = 0
        """Results for which there was no room."""


class Board:
    """The view of one worker: who sits at `place`, in a `life` of its own, the number of its incarnation.

    One thread at a time may use it. The former worker at the place must be dead and buried.

    >>> memory = BoardMemory(2)
    >>> board, other = Board(memory, 0, life=1), Board(memory, 1, life=2)
    >>> board.claim(b"f(3)", stack=7)
    >>> other.claim(b"f(3)", stack=8)
    Running(place=0, stack=7, mine=False)
    >>> other.wait(b"f(3)", stack=8).name
    'WAITING'
    >>> board.publish(b"f(3)", b"six", seconds=0.5)
    frozenset({1})
    >>> other.look(b"f(3)")
    Done(data=b'six', seconds=0.5)
    >>> board.close(), other.close(), memory.close()
    (None, None, None)
    """

    def __init__(self, memory: BoardMemory, place: int, life: int) -> None:
        """Take the place; what was published there stays."""
        if not 0 <= place < memory.places:
            raise ValueError(f"place must be 0 to {memory.places - 1}, not {place!r}")
        self.counts = Counts()
        self._memory = memory
        self._words = memory.words
        self._place = place
        self._serial = 0
        self._claims: dict[bytes, tuple[int, int]] = {}
        self._waits: dict[int, int] = {}
        self._lock = memory.region
        self._claimed = state_word(RUNNING, place, life, 0)
        self._fence = threading.Lock()
        self._log = _log.Log(memory, place)
        memory.settle(place, life)

    def close(self) -> None:
        """Close what this worker keeps open; its claims end with its life, which others bury."""
        self._log.close()

    # Looking ------------------------------------------------------------------------------------

    def look(self, key: bytes) -> Done | Running | None:
        """Return what is known of a call; None if nobody computes it, or its result was dropped.

        Costs about 1 us, and for a result copying it.
        """
        words, tag = self._words, _tag_of(key)
        first = self._memory.bucket_at(tag)
        for slot in range(first, first + SLOTS):
            if words[slot] == tag:
                found = self._read(slot, tag, key)
                if found is not None:
                    return found
        return None

    def _read(self, slot: int, tag: int, key: bytes) -> Done | Running | None:
        state = self._words[slot + STATES]
        while True:
            if state & 3 == DONE:
                return _log.read(self._memory, state, key)
            if not self._is_running(state):
                return None
            place, stack = (state >> 2) % MOST_PLACES, self._words[slot + STACKS]
            is_same_call = self._words[slot] == tag
            again = self._words[slot + STATES]
            if again == state:
                return Running(place, stack, place == self._place) if is_same_call else None
            state = again

    def _is_running(self, state: int) -> bool:
        return state & 3 == RUNNING and self._memory.is_alive(state)

    # Claiming and publishing --------------------------------------------------------------------

    def claim(self, key: bytes, stack: int) -> Done | Running | Unshared | None:
        """Claim a call for `stack`; None if it is claimed now, else what `look` returns, or `Unshared`.

        A claim is to be followed by `publish`. Costs about 4 us; where a result is likely `look` first,
        which takes no lock.
        """
        tag = _tag_of(key)
        for heed_results in (True, False):  # the second time: that of another key with the same tag
            with self._lock:
                slot, is_free = self._find_slot(tag, heed_results=heed_results)
                if is_free:
                    self._write_claim(slot, tag, key, stack)
                    return None
            if slot < 0:
                break
            found = self.look(key)
            if found is not None:
                return found
        self.counts.unshared += 1
        return Unshared()

    def _find_slot(self, tag: int, *, heed_results: bool) -> tuple[int, bool]:
        """Return a slot and whether `tag` may have it; else somebody has it there, or there is no room.

        If all slots are taken by calls that run there is none, and it is negative.
        """
        first = self._memory.bucket_at(tag)
        bucket = self._words[first : first + STATES + SLOTS].tolist()
        same = free = old = -1
        for slot in range(SLOTS):
            state = bucket[STATES + slot]
            if not state:
                free = slot
                continue
            is_result = state & 3 == DONE and self._is_readable(state)
            if not is_result and not self._is_running(state):
                free = slot
            elif bucket[slot] == tag:
                if heed_results or not is_result:
                    return first + slot, False
                same = slot
            elif is_result and (old < 0 or self._is_next(slot, old)):
                old = slot
        slot = same if same >= 0 else free if free >= 0 else old
        return (first + slot, True) if slot >= 0 else (-1, False)

    def _is_next(self, slot: int, old: int) -> bool:
        """Tell which of two results is dropped first: each slot of a bucket in turn."""
        return (slot - self._serial) % SLOTS < (old - self._serial) % SLOTS

    def _is_readable(self, state: int) -> bool:
        place = self._memory.place_at((state >> 2) % MOST_PLACES)
        return self._words[place + ROUND] == (state >> 12) % EPOCHS

    def _write_claim(self, slot: int, tag: int, key: bytes, stack: int) -> None:
        words = self._words
        self._serial += 1
        state = self._claimed | self._serial % NUMBERS << 32
        words[slot + STATES] = 0
        words[slot] = tag
        words[slot + STACKS] = stack
        words[slot + WAITERS] = 0
        words[slot + STATES] = state
        self._claims[key] = (slot, state)
        self.counts.claimed += 1

    def publish(self, key: bytes, data: bytes | None, seconds: float) -> frozenset[int]:
        """Tell what a call came to, and return the places to wake.

        Without data, as when it failed or cannot travel, the call is free again, and so it is if
        there is no room for the data. A call that was not claimed may be published too. Costs about
        2 us, and the copying.
        """
        words, claim = self._words, self._claims.pop(key, None)
        try:
            state = None if data is None else self._log.append(key, data, seconds)
        except (
            BaseException
        ):  # such as RecursionError: a claim that stays would be waited for, for ever
            if claim is not None and words[claim[0] + STATES] == claim[1]:
                words[claim[0] + STATES] = 0
            raise
        self.counts.published += state is not None
        self.counts.unpublished += state is None and data is not None
        if claim is None:
            if state is not None:
                self._insert(key, state)
            return NOBODY
        slot, claimed = claim
        if words[slot + STATES] != claimed:  # lost by a race without the lock
            return NOBODY
        before = words[slot + WAITERS]
        words[slot + STATES] = state or 0
        with self._fence:  # who waits writes first and looks then, and so do we
            waiters = before | words[slot + WAITERS]
        return self._places_of(waiters) if waiters else NOBODY

    def abandon(self, stack: int) -> frozenset[int]:
        """Free what `stack` has claimed and not published, and return the places to wake.

        For the end of a stack: an error in the midst of claiming or publishing, as of a recursion too deep, can
        leave a claim that somebody would wait for. Costs O(claims of this worker).
        """
        self.unwait(stack)
        words = self._words
        claims = [*self._claims.items()]
        left = [key for key, (slot, _) in claims if words[slot + STACKS] == stack]
        return NOBODY.union(*(self.publish(key, None, 0.0) for key in left))

    def _insert(self, key: bytes, state: int) -> None:
        tag = _tag_of(key)
        with self._lock:
            slot, is_free = self._find_slot(tag, heed_results=False)
            if is_free:
                self._serial += 1
                self._words[slot + STATES] = 0
                self._words[slot] = tag
                self._words[slot + STATES] = state

    def _places_of(self, waiters: int) -> frozenset[int]:
        places = range(self._memory.places)
        return frozenset(place for place in places if waiters >> place % MASK_BITS & 1)

    # Waiting ------------------------------------------------------------------------------------

    def wait(self, key: bytes, stack: int) -> Wait:
        """Note that `stack` waits for a call, unless it would wait for itself; may be asked again.

        `Wait.RING` too if more stacks wait here than the memory was made for. Costs about 5 us.
        """
        with self._lock:
            slot, state = self._find_running(key)
            verdict = self._judge(slot, state, stack)
            if verdict is Wait.WAITING:
                self._words[slot + WAITERS] |= 1 << self._place % MASK_BITS
        # Whoever publishes writes first and looks then, and so do we.
        if verdict is Wait.WAITING and self._words[slot + STATES] != state:
            verdict = Wait.GONE
        if verdict is not Wait.WAITING:
            self.unwait(stack)
        return verdict

    def is_waiting(self, stack: int) -> bool:
        """Tell whether the claim stands that a stack began to wait for; costs under 1 us.

        Another claim of the same call will not wake it, as it does not know of it.
        """
        wait = self._waits.get(stack)
        if wait is None:
            return False
        slot, state = self._words[wait + 1], self._words[wait + 2]
        return self._words[slot + STATES] == state and self._is_running(state)

    def unwait(self, stack: int) -> None:
        """Note that `stack` waits no longer; costs under 1 us, and is no error if it did not."""
        wait = self._waits.pop(stack, None)
        if wait is not None:
            self._words[wait] = 0

    def _find_running(self, key: bytes) -> tuple[int, int]:
        tag = _tag_of(key)
        first = self._memory.bucket_at(tag)
        for slot in range(first, first + SLOTS):
            state = self._words[slot + STATES]
            if self._words[slot] == tag and self._is_running(state):
                return slot, state
        return -1, 0

    def _judge(self, slot: int, state: int, stack: int) -> Wait:
        if slot < 0:
            return Wait.GONE
        if self._closes_ring(slot, state, stack) or not self._note_wait(slot, state, stack):
            return Wait.RING
        return Wait.WAITING

    def _closes_ring(self, slot: int, state: int, stack: int) -> bool:
        """Tell whether who computes there waits, itself or through others, for `stack`.

        The number of steps is bounded, for the others may be a ring already, where a lock was missed.
        """
        for _ in range(self._memory.places * self._memory.waits + 1):
            place, owner = (state >> 2) % MOST_PLACES, self._words[slot + STACKS]
            if (place, owner) == (self._place, stack):
                return True
            awaited = self._awaited_by(place, owner)
            if awaited is None:
                return False
            slot, state = awaited
        return False

    def _awaited_by(self, place: int, stack: int) -> tuple[int, int] | None:
        """Return slot and state of the call that a stack waits for, if that still runs."""
        words = self._words
        first = self._memory.place_at(place) + WAITS
        for wait in range(first, first + 3 * self._memory.waits, 3):
            if words[wait] == stack + 1:
                slot, state = words[wait + 1], words[wait + 2]
                is_current = self._is_running(state) and words[slot + STATES] == state
                return (slot, state) if is_current else None
        return None

    def _note_wait(self, slot: int, state: int, stack: int) -> bool:
        wait = self._waits.get(stack) or self._free_wait()
        if wait is None:
            return False
        words = self._words
        words[wait] = 0
        words[wait + 1], words[wait + 2] = slot, state
        words[wait] = stack + 1
        self._waits[stack] = wait
        return True

    def _free_wait(self) -> int | None:
        first = self._memory.place_at(self._place) + WAITS
        waits = range(first, first + 3 * self._memory.waits, 3)
        return next((wait for wait in waits if not self._words[wait]), None)


def _tag_of(key: bytes) -> int:
    """Return 64 bits that are the same in every process, whatever its hash seed; the low ones are mixed best."""
    return zlib.adler32(key) << 32 | zlib.crc32(key)
