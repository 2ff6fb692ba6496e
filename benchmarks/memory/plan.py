"""What is asked of every peer: keys, values and places, the same in each run."""

from __future__ import annotations

import itertools
import random
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SEED = 20
"""To be repeated, not to be secret."""

AT_ONCE = 5_000


def key(n: int) -> str:
    """Return the key of item `n`."""
    return f"user:{n:08d}"


def absent_key(n: int) -> str:
    """Return a key that no item has, which lies beside that of item `n` where keys are sorted."""
    return f"user:{n:08d}?"


def value(n: int) -> tuple[int, int, str]:
    """Return the value of item `n`."""
    return (n, n + 1, f"v{n}")


def longer_value(n: int) -> tuple[int, int, str]:
    """Return a value that takes more bytes than `value(n)`."""
    return (n, -n - 1, f"the new value of {n} is longer than the old one")


def megabyte(n: int) -> bytes:
    """Return 1 MB of noise that starts with `n`."""
    return n.to_bytes(8, "big") + random.Random(SEED + n).randbytes((1 << 20) - 8)  # noqa: S311


def shuffled(size: int) -> Sequence[int]:
    """Return all of range(size), each once, in no order."""
    numbers = array("I", range(size))
    random.Random(SEED).shuffle(numbers)  # noqa: S311
    return numbers


def uniform(size: int, draws: int) -> Sequence[int]:
    """Return `draws` of range(size), with repetitions."""
    chance = random.Random(SEED + 1)  # noqa: S311
    return _drawn(draws, lambda count: chance.choices(range(size), k=count))


def distinct(size: int, draws: int) -> Sequence[int]:
    """Return `draws` different ones of range(size), or as many as there are."""
    return array("I", random.Random(SEED + 2).sample(range(size), min(size, draws)))  # noqa: S311


def zipf(size: int, among: int, draws: int) -> Sequence[int]:
    """Return `draws` of range(size), where the r-th most frequent of `among` comes with weight 1/r."""
    chance = random.Random(SEED + 3)  # noqa: S311
    numbers = chance.sample(range(size), min(size, among))
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(numbers) + 1)))
    return _drawn(draws, lambda count: chance.choices(numbers, cum_weights=weights, k=count))


def _drawn(draws: int, draw: Callable[[int], list[int]]) -> Sequence[int]:
    """Return what `draw` draws, a few at a time: memory that is used here hides what a peer uses."""
    numbers = array("I")
    while len(numbers) < draws:
        numbers.extend(draw(min(AT_ONCE, draws - len(numbers))))
    return numbers
