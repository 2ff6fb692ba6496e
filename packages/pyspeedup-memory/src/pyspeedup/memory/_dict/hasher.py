"""The hashes by which one store finds its keys, which a secret may guard against those who choose the keys."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any
from zlib import crc32

from pyspeedup.memory._dict.hashing import RULES, rule_of

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike
    from pyspeedup.memory._dict.hashing import Leaf

__all__ = ["Hasher"]

CODE_BYTES = 4


class Hasher:
    """The stable hashes of one store's keys: those of `stable_hash`, or with a secret its own.

    Of CRC-32 anybody can tell which texts have the same hash, and so make all keys of a store lie in
    one place, where each look-up is as slow as reading them all. With `secret`, up to 64 bytes, text
    and bytes are hashed by keyed BLAKE2b instead, 1 us each, which says nothing to those who do not
    know it. Numbers are not keyed, as Python does not key them either.

    >>> from pyspeedup.memory._dict.hashing import stable_hash
    >>> Hasher().code("spam") == stable_hash("spam")
    True
    >>> Hasher(b"a secret").code("spam") == stable_hash("spam")
    False
    >>> Hasher(b"a secret").code((1, "spam")) == Hasher(b"a secret").code((1.0, "spam"))
    True
    """

    __slots__ = ("of_bytes",)

    def __init__(self, secret: bytes | None = None) -> None:
        """Hash by CRC-32 where there is no `secret`."""
        self.of_bytes: Leaf = crc32 if secret is None else _keyed(secret)

    def code(self, key: Any) -> int | None:
        """Return the stable hash of `key`; None if it has no rule. O(size of the key)."""
        rule = RULES.get(type(key)) or rule_of(type(key))
        return rule(key, self.of_bytes)

    def codes(self, keys: list[Any]) -> array[int]:
        """Return the stable hashes of keys that have one, in O(keys), the faster where all are text, or bytes.

        >>> Hasher().codes(["spam", 1]) == array("I", [Hasher().code("spam"), Hasher().code(1)])
        True
        """
        kinds = set(map(type, keys))
        if kinds == {bytes}:
            return array("I", map(self.of_bytes, keys))
        if kinds == {str}:
            try:
                return array("I", map(self.of_bytes, map(str.encode, keys)))
            except UnicodeEncodeError:
                pass  # some have surrogates, which are hashed one by one
        return array("I", [code for code in map(self.code, keys) if code is not None])


def _keyed(secret: bytes) -> Leaf:
    from hashlib import blake2b  # 3 ms, and few stores need it

    def leaf(data: BytesLike) -> int:
        digest = blake2b(data, key=secret, digest_size=CODE_BYTES).digest()
        return int.from_bytes(digest, "little")

    return leaf
