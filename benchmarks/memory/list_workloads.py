"""The workloads of lists, grouped by the process that does them one after the other."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, Any

from memory import plan
from memory.sessions import OPEN, Session
from memory.writing import written

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from memory.list_peers import ListPeer
    from memory.watch import Watch

GETS, SETS, SLICES, INSERTS = 200_000, 100_000, 20_000, 5_000
"""Operations at most of a workload."""

LENGTH = 100
"""Items a slice."""

ITEMS_A_CALL = 10_000
SAMPLE = 20
"""Items that are looked at after writes: few, since some peers count to each."""


def itself(n: int) -> int:
    """Return the item number `n` of a list of ints."""
    return n


def first_get(peer: ListPeer, size: int) -> None:
    """Get one item, which belongs to opening."""
    peer.require("the first item", peer.content[size // 2], size // 2)


def require_some(peer: ListPeer, places: Sequence[int], make: Callable[[int], Any]) -> None:
    """See that some of `places` hold what `make` makes of them."""
    for n in places[:: max(1, len(places) // SAMPLE)]:
        peer.require(f"item {n}", peer.content[n], make(n))


def append(peer: ListPeer, watch: Watch, size: int, make: Callable[[int], Any] = itself) -> None:
    """Append the items one by one, and commit."""
    content = peer.content

    def put(items: list[Any]) -> None:
        for item in items:
            content.append(item)

    done = written(peer, watch, range(size), make, put)
    peer.require("the number of items", peer.count(), done)
    require_some(peer, range(done), make)


def extend(peer: ListPeer, watch: Watch, size: int) -> None:
    """Append the items 10,000 a call, and commit."""
    done = written(peer, watch, range(size), itself, peer.content.extend, largest=ITEMS_A_CALL)
    peer.require("the number of items", peer.count(), done)
    require_some(peer, range(done), itself)


def iterate(peer: ListPeer, watch: Watch, _size: int, make: Callable[[int], Any] = itself) -> None:
    """Go through all items."""
    all_items = peer.iterate()

    def take(numbers: list[int]) -> list[Any]:
        return list(itertools.islice(all_items, len(numbers)))

    def prove(numbers: Sequence[int], found: list[Any]) -> None:
        peer.require("what was iterated", found, list(map(make, numbers)))

    watch.batches(range(peer.count()), itself, take, prove)


def get_rand(peer: ListPeer, watch: Watch, _size: int, make: Callable[[int], Any] = itself) -> None:
    """Get items all over the list."""
    content = peer.content

    def get(places: list[int]) -> list[Any]:
        return [content[place] for place in places]

    def prove(places: Sequence[int], found: list[Any]) -> None:
        peer.require("what was read", found, list(map(make, places)))

    watch.batches(plan.uniform(peer.count(), GETS), itself, get, prove)


def slice100(peer: ListPeer, watch: Watch, _size: int) -> None:
    """Get slices of 100 items all over the list."""
    content = peer.content

    def get(places: list[int]) -> list[Any]:
        return [content[place : place + LENGTH] for place in places]

    def prove(places: Sequence[int], found: list[Any]) -> None:
        expected = [list(range(place, place + LENGTH)) for place in places]
        peer.require("the slices", list(map(list, found)), expected)

    # Few slices a batch, since each is kept until it is proved.
    places = plan.uniform(peer.count() - LENGTH, SLICES)
    watch.batches(places, itself, get, prove, largest=LENGTH)


def set_rand(peer: ListPeer, watch: Watch, _size: int, make: Callable[[int], Any] = itself) -> None:
    """Set items all over the list, and commit."""
    content = peer.content

    def other(place: int) -> Any:
        return make(place + 1)

    def put(pairs: list[tuple[int, Any]]) -> None:
        for place, item in pairs:
            content[place] = item

    places = plan.uniform(peer.count(), SETS)
    done = written(peer, watch, places, lambda place: (place, other(place)), put)
    require_some(peer, places[:done], other)


def insert_at(peer: ListPeer, watch: Watch, place: int) -> None:
    """Insert items at `place`, over and over, and commit."""
    content, before = peer.content, peer.count()

    def put(items: list[int]) -> None:
        for item in items:
            content.insert(place, item)

    done = written(peer, watch, range(INSERTS), itself, put)
    peer.require("the number of items", peer.count(), before + done)
    peer.require("what was inserted last", content[place], done - 1)
    peer.require("what was inserted first", content[place + done - 1], 0)


def insert_0(peer: ListPeer, watch: Watch, _size: int) -> None:
    """Insert in front."""
    insert_at(peer, watch, 0)


def insert_mid(peer: ListPeer, watch: Watch, _size: int) -> None:
    """Insert in the middle."""
    insert_at(peer, watch, peer.count() // 2)


def delete_mid(peer: ListPeer, watch: Watch, _size: int) -> None:
    """Delete in the middle, and commit."""
    content, before = peer.content, peer.count()
    place = before // 2
    left, last = content[place - 1], content[before - 1]

    def delete(numbers: list[int]) -> None:
        for _ in numbers:
            del content[place]

    done = written(peer, watch, range(INSERTS), itself, delete)
    peer.require("the number of items", peer.count(), before - done)
    peer.require(
        "the items about it", (content[place - 1], content[before - done - 1]), (left, last)
    )


def pop_end(peer: ListPeer, watch: Watch, _size: int) -> None:
    """Pop half of the items from the end, and commit."""
    content, before = peer.content, peer.count()
    popped = []

    def pop(numbers: list[int]) -> list[Any]:
        return [content.pop() for _ in numbers]

    def note(_: Sequence[int], items: list[Any]) -> None:
        popped.extend(items[:1])

    last = content[before - 1]
    done = written(peer, watch, range(before // 2), itself, pop, prove=note)
    peer.require("the number of items", peer.count(), before - done)
    peer.require("what was popped first", popped[0], last)


SESSIONS = [
    Session("build", ["append"], fills=True),
    Session("cold", [OPEN], built=True),
    Session(
        "use",
        [
            "iterate",
            "get_rand",
            "slice100",
            "set_rand",
            "insert_0",
            "insert_mid",
            "delete_mid",
            "pop_end",
        ],
        built=True,
    ),
    Session("extend", ["extend"], fills=True),
    Session("tuples", ["append_tuple", "iterate_tuple", "get_tuple", "set_tuple"], fills=True),
]

WORKLOADS: dict[str, Callable[[ListPeer, Watch, int], None]] = {
    "append": append,
    "extend": extend,
    "iterate": iterate,
    "get_rand": get_rand,
    "set_rand": set_rand,
    "slice100": slice100,
    "insert_0": insert_0,
    "insert_mid": insert_mid,
    "delete_mid": delete_mid,
    "pop_end": pop_end,
    "append_tuple": functools.partial(append, make=plan.value),
    "iterate_tuple": functools.partial(iterate, make=plan.value),
    "get_tuple": functools.partial(get_rand, make=plan.value),
    "set_tuple": functools.partial(set_rand, make=plan.value),
}
