"""The workloads of dicts, grouped by the process that does them one after the other."""

from __future__ import annotations

import collections
import itertools
import time
from typing import TYPE_CHECKING, Any

from memory import plan
from memory.peer import COMMIT_EVERY
from memory.sessions import OPEN, Session
from memory.watch import Watch
from memory.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memory.dict_peers import DictPeer

HOT = 2_000
"""Keys that hot gets are among."""

COUNTERS = 100_000
HOT_GETS, COLD_GETS, ABSENT, COUNTS, OVERWRITES = 300_000, 20_000, 200_000, 300_000, 20_000
"""Operations at most of a workload."""

MEGABYTES = 500
MEGABYTES_A_COMMIT = 25
SAMPLE = 50
"""Items that are looked at after writes, to see that they are there."""

PAIRS_A_CALL = 10_000


def pair(n: int) -> tuple[str, Any]:
    """Return key and value of item `n`."""
    return plan.key(n), plan.value(n)


def insert_all(
    peer: DictPeer, watch: Watch, numbers: Sequence[int], make: Callable[[int], Any] = pair
) -> int:
    """Set the items of `numbers`, in their order, and commit; return how many."""
    content = peer.content

    def put(pairs: list[tuple[str, Any]]) -> None:
        for key, value in pairs:
            content[key] = value

    return written(peer, watch, numbers, make, put)


def require_some(peer: DictPeer, numbers: Sequence[int], make: Callable[[int], Any] = pair) -> None:
    """See that some of the items of `numbers` are there."""
    step = max(1, len(numbers) // SAMPLE)
    for n in numbers[::step]:
        key, value = make(n)
        peer.require(key, peer.content[key], value)


def first_get(peer: DictPeer, size: int) -> None:
    """Get one item, which belongs to opening."""
    n = size // 2
    peer.require("the first item", peer.content[plan.key(n)], plan.value(n))


def insert(peer: DictPeer, watch: Watch, size: int) -> None:
    """Set the items in the order of their keys."""
    done = insert_all(peer, watch, range(size))
    require_some(peer, range(done))
    peer.require("the number of items", peer.count(), done)


def insert_shuffled(peer: DictPeer, watch: Watch, size: int) -> None:
    """Set the items in no order."""
    numbers = plan.shuffled(size)
    done = insert_all(peer, watch, numbers)
    require_some(peer, numbers[:done])
    peer.require("the number of items", peer.count(), done)


def update(peer: DictPeer, watch: Watch, size: int) -> None:
    """Set the items by update, 10,000 a call."""
    done = written(peer, watch, range(size), pair, peer.update, largest=PAIRS_A_CALL)
    require_some(peer, range(done))
    peer.require("the number of items", peer.count(), done)


def longest(peer: DictPeer, watch: Watch, size: int) -> None:
    """Find how long the longest of all insertions takes, without the commits that are asked for."""
    content, clock = peer.content, time.perf_counter
    slowest = 0.0

    def put(pairs: list[tuple[str, Any]]) -> None:
        nonlocal slowest
        for key, value in pairs:
            start = clock()
            content[key] = value
            slowest = max(slowest, clock() - start)

    done = written(peer, watch, range(size), pair, put)
    require_some(peer, range(done))
    watch.timing.seconds = watch.timing.cpu = slowest
    watch.timing.done = 1


def get_all(
    peer: DictPeer,
    watch: Watch,
    numbers: Sequence[int],
    key_of: Callable[[int], str] = plan.key,
) -> None:
    """Get the values of `numbers` one by one, by the keys that `key_of` gives."""
    content = peer.content

    def get(keys: list[str]) -> list[Any]:
        return [content[key] for key in keys]

    def prove(asked: Sequence[int], values: list[Any]) -> None:
        peer.require("what was read", values, list(map(plan.value, asked)))

    watch.batches(numbers, key_of, get, prove)


def cold_get(peer: DictPeer, watch: Watch, size: int) -> None:
    """Get items all over the store, each once, in a process that has seen none of them."""
    get_all(peer, watch, plan.distinct(size, COLD_GETS))


def hot_get(peer: DictPeer, watch: Watch, size: int) -> None:
    """Get a few items over and over, by the same key objects, as one does who holds these keys."""
    numbers = plan.zipf(size, HOT, HOT_GETS)
    keys = {n: plan.key(n) for n in set(numbers)}
    get_all(peer, watch, numbers, keys.__getitem__)


def hot_get_new(peer: DictPeer, watch: Watch, size: int) -> None:
    """Get a few items over and over, by new key objects, as one does who reads these keys."""
    get_all(peer, watch, plan.zipf(size, HOT, HOT_GETS))


def items(peer: DictPeer, watch: Watch, size: int) -> None:
    """Go through all items, in the order in which they were inserted, where that is kept."""
    all_items = iter(peer.items())
    seen = bytearray(size)

    def take(numbers: list[int]) -> list[tuple[str, Any]]:
        return list(itertools.islice(all_items, len(numbers)))

    def prove(numbers: Sequence[int], found: list[tuple[str, Any]]) -> None:
        these = numbers if peer.ordered else [value[0] for _, value in found]
        peer.require("what was iterated", found, list(map(pair, these)))
        for n in these:
            seen[n] = 1

    done = watch.batches(range(size), int, take, prove)
    peer.require("the number of different items", sum(seen), done)


def absent(peer: DictPeer, watch: Watch, size: int) -> None:
    """Ask for keys that are not there."""
    content = peer.content

    def ask(keys: list[str]) -> int:
        return sum([key in content for key in keys])

    def prove(_: Sequence[int], found: int) -> None:
        peer.require("the number of absent keys found", found, 0)

    watch.batches(plan.uniform(size, ABSENT), plan.absent_key, ask, prove)


def overwrite(peer: DictPeer, watch: Watch, size: int) -> None:
    """Give items all over the store a longer value, and commit."""

    def longer_pair(n: int) -> tuple[str, Any]:
        return plan.key(n), plan.longer_value(n)

    numbers = plan.distinct(size, OVERWRITES)
    done = insert_all(peer, watch, numbers, longer_pair)
    require_some(peer, numbers[:done], longer_pair)


def delete_half(peer: DictPeer, watch: Watch, size: int) -> None:
    """Delete every other item, and commit."""
    content = peer.content

    def delete(keys: list[str]) -> None:
        for key in keys:
            del content[key]

    done = written(peer, watch, range(0, size, 2), plan.key, delete)
    peer.require("the number of items left", peer.count(), size - done)
    peer.require("what was deleted", plan.key(0) in content, False)


def counter(peer: DictPeer, watch: Watch, size: int) -> None:
    """Add 1 to counters, some of which are much more in use than others."""
    keys = min(size, COUNTERS)
    filling = Watch(watch.cap, watch.memory)
    keys = insert_all(peer, filling, range(keys), lambda n: (plan.key(n), 0))
    content, sums = peer.content, collections.Counter[int]()

    def add(batch: list[str]) -> None:
        for key in batch:
            content[key] += 1

    def note(numbers: Sequence[int], _: None) -> None:
        sums.update(numbers)

    written(peer, watch, plan.zipf(keys, keys, COUNTS), plan.key, add, prove=note)
    require_some(peer, sorted(sums), lambda n: (plan.key(n), sums[n]))


def big_set(peer: DictPeer, watch: Watch, _size: int) -> None:
    """Set values of 1 MB, and commit."""
    content = peer.content

    def put(pairs: list[tuple[str, bytes]]) -> None:
        for key, value in pairs:
            content[key] = value

    def big_pair(n: int) -> tuple[str, bytes]:
        return plan.key(n), plan.megabyte(n)

    weight = COMMIT_EVERY // MEGABYTES_A_COMMIT
    done = written(
        peer, watch, range(MEGABYTES), big_pair, put, weight=weight, smallest=1, largest=1
    )
    peer.require("the number of items", peer.count(), done)


def big_get(peer: DictPeer, watch: Watch, _size: int) -> None:
    """Get values of 1 MB, each once, in no order."""
    content = peer.content

    def get(keys: list[str]) -> list[bytes]:
        return [content[key] for key in keys]

    def prove(numbers: Sequence[int], values: list[bytes]) -> None:
        peer.require("a large value", values, list(map(plan.megabyte, numbers)))

    watch.batches(plan.shuffled(peer.count()), plan.key, get, prove, smallest=1, largest=1)


SESSIONS = [
    Session("build", ["insert"], fills=True),
    Session("cold", [OPEN, "cold_get"], built=True),
    Session(
        "use", ["hot_get", "hot_get_new", "items", "absent", "overwrite", "delete_half"], built=True
    ),
    Session("shuffled", ["insert_shuffled"], fills=True),
    Session("update", ["update"], fills=True),
    Session("counter", ["counter"]),
    Session("longest", ["longest"], fills=True, numpy_apart=True),
    Session("big", ["big_set", "big_get"], fills=True),
]

WORKLOADS: dict[str, Callable[[DictPeer, Watch, int], None]] = {
    "insert": insert,
    "insert_shuffled": insert_shuffled,
    "update": update,
    "hot_get": hot_get,
    "hot_get_new": hot_get_new,
    "cold_get": cold_get,
    "counter": counter,
    "items": items,
    "overwrite": overwrite,
    "absent": absent,
    "delete_half": delete_half,
    "big_set": big_set,
    "big_get": big_get,
    "longest": longest,
}
