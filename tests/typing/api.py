"""Typical uses, for type checkers only: this is compiled and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.algorithms import factor, fibonacci, is_prime, mod_inverse
from pyspeedup.concurrent import Buffer, Cache, buffer, uniformlyNonDecreasing
from pyspeedup.core import HaltCondition, PickleSerializer, Serializer, hookimpl, register
from pyspeedup.memory import DiskDict, DiskList

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, MutableSequence, Sequence


@buffer(4, haltCondition=uniformlyNonDecreasing)
def count() -> Iterator[int]:
    """Count without end."""
    number = 0
    while True:
        yield number
        number += 1


@Cache
def triangle(n: int) -> int:
    """Add up 1 to n."""
    return n + triangle(n - 1) if n else 0


def passed(buffer: Buffer[int], item: int, attempts: int) -> bool:
    """Stop behind the item."""
    return buffer.cached[-1] > item or attempts > 10


third: int = count[3]
few: Sequence[int] = count[2:5]
is_there: bool = 7 in count
total: int = triangle(10)
triangle.apply_async(20)
triangle.batch_async((1,), (2,))
condition: HaltCondition = passed
serializer: Serializer = PickleSerializer()

words: MutableMapping[str, list[int]] = DiskDict[str, list[int]]("words")
lines: MutableSequence[str] = DiskList[str]("lines", 512, 8)
with DiskDict[str, int]("counts", serializer="json") as counts:
    counts["a"] = 1
    counts.sync(durable=True)
    plain: dict[str, int] = counts | {"b": 2}

factors: list[int] = factor(360)
inverse: int = mod_inverse(3, 7)
prime: bool = is_prime(fibonacci(11))


class Plugin:
    """A plugin made of an object."""

    @hookimpl
    def pyspeedup_register_serializers(self, register: object) -> None:
        """Register nothing."""


register(Plugin())
