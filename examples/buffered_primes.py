"""Primes that are generated in another process while this one works on those that are there.

No ``if __name__ == "__main__"`` is needed for that, under any start method.
"""

from __future__ import annotations

from itertools import count, islice
from typing import TYPE_CHECKING

from pyspeedup.algorithms import is_prime
from pyspeedup.concurrent import buffer

if TYPE_CHECKING:
    from collections.abc import Iterator


@buffer(buffersize=256)
def twins() -> Iterator[int]:
    """Yield the first of each pair of primes that are two apart."""
    for n in count(3, 2):
        if is_prime(n) and is_prime(n + 2):
            yield n


# Indexed, sliced and searched like a list. The search ends by itself: the values only grow.
print("the first:", twins[:8])
print("the 1000th:", twins[999])
for n in (1019, 1021):
    print(f"{n} and {n + 2}?", n in twins)

# Consumed like a generator, from the first value on.
total = sum(1 / n + 1 / (n + 2) for n in islice(twins, 500))
print(f"the reciprocals of the first 500 pairs add up to {total:.4f}")

twins.close()
