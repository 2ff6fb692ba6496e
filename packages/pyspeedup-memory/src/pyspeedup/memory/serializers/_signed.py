"""A signature on what any other serializer writes, so that only who has the key can write values."""

from __future__ import annotations

import hashlib
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, NoReturn

from pyspeedup.core import SerializationError
from pyspeedup.memory._storage.codecs import agrees, describe, make_serializer

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike, Serializer

__all__ = ["SignedSerializer", "signed"]

SIGNATURE_BYTES = 16
SHORTEST_KEY = 16
NO_KEY = (
    "a signed store needs its key, which is never recorded: "
    "pass serializer=signed(inner, key) at each opening"
)


class SignedSerializer:
    """Signs what another serializer writes, and reads nothing that is not signed; made by `signed`.

    The signature is keyed BLAKE2b over the bytes, of 128 bits; 0.5 us and 16 bytes a value. Reading runs no
    code of somebody who does not have the key, even where `inner` is pickle.

    A value that was moved to another key of the dict, to another store with the same key, or back to what
    it was before, is still signed: that is not noticed. Keys of a dict are not signed.

    >>> SignedSerializer("json", b"0123456789abcdef").options()["inner"]
    {'name': 'json', 'options': {}}
    """

    name = "signed"
    runs_code = False

    def __init__(self, inner: str | Serializer = "pickle", key: bytes | None = None) -> None:
        """Wrap `inner`; raises what `signed` does."""
        if key is None:
            raise ValueError(NO_KEY)
        if not isinstance(key, bytes):
            raise TypeError(f"key must be bytes, not {type(key).__name__}")
        if len(key) < SHORTEST_KEY:
            raise ValueError(
                f"key must be at least {SHORTEST_KEY} bytes long, not {len(key)}: "
                "secrets.token_bytes(32) makes one"
            )
        self.inner = make_serializer(inner)
        derived = hashlib.blake2b(key, person=b"pyspeedup key").digest()
        self._key_id = _hasher(derived, b"pyspeedup key id").hexdigest()[:8]
        self._signing = _hasher(derived, b"pyspeedup signed")
        self._signing.update(_formats(describe(self.inner)).encode() + b"\0")

    def dumps(self, obj: Any, /) -> bytes:
        """Return a signature and `obj` as the inner serializer writes it, in O(size).

        >>> len(signed("json", b"0123456789abcdef").dumps([])) - len(b"[]")
        16
        """
        data = self.inner.dumps(obj)
        return self._sign(data) + data

    def loads(self, data: BytesLike, /) -> Any:
        """Return the value that `data` was made from, in O(size).

        `SerializationError` where the signature is not one that the key makes.

        >>> written = signed("json", b"0123456789abcdef").dumps([1])
        >>> signed("json", b"another key than that").loads(written)
        Traceback (most recent call last):
        pyspeedup.core.errors.SerializationError: the signature of 19 bytes does not match: they were \
changed, or written with another key
        """
        signature, body = bytes(data[:SIGNATURE_BYTES]), memoryview(data)[SIGNATURE_BYTES:]
        if not compare_digest(signature, self._sign(body)):
            raise SerializationError(
                f"the signature of {len(data)} bytes does not match: "
                "they were changed, or written with another key"
            )
        return self.inner.loads(body)

    def _sign(self, data: BytesLike) -> bytes:
        signing = self._signing.copy()
        signing.update(data)
        return signing.digest()

    def options(self) -> dict[str, Any]:
        """Return what a store records: the inner serializer, and 32 bits by which a wrong key is told.

        >>> sorted(signed("json", b"0123456789abcdef").options())
        ['inner', 'key_id']
        """
        return {"inner": describe(self.inner), "key_id": self._key_id}

    def reads(self, options: dict[str, Any]) -> bool:
        """Tell whether it reads what one with these recorded `options` wrote: it has the same key.

        >>> ours = signed("json", b"0123456789abcdef")
        >>> ours.reads(ours.options()), ours.reads(signed("json", b"another key than that").options())
        (True, False)
        """
        same_key = options.get("key_id") == self._key_id
        return same_key and agrees(self.inner, options.get("inner"))

    @classmethod
    def remake(cls, **_options: Any) -> NoReturn:
        """Raise `ValueError`: what a store records holds no key.

        >>> SignedSerializer.remake(**signed("json", b"0123456789abcdef").options())
        Traceback (most recent call last):
        ValueError: a signed store needs its key, which is never recorded: pass \
serializer=signed(inner, key) at each opening
        """
        raise ValueError(NO_KEY)


def signed(inner: str | Serializer, key: bytes) -> SignedSerializer:
    """Return a serializer that signs what `inner`, a registered name or an object, writes with `key`.

    `key` is at least 16 bytes that nobody can guess, such as ``secrets.token_bytes(32)``; it is
    never recorded, so each opening passes it anew. Take another for each store. Raises `UnknownNameError` for an
    unknown name, `TypeError` and `ValueError` for a key that is none.

    >>> serializer = signed("pickle", b"from secrets.token_bytes(32)")
    >>> serializer.loads(serializer.dumps({"a": (1, 2)}))
    {'a': (1, 2)}
    """
    return SignedSerializer(inner, key)


def _hasher(key: bytes, purpose: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=key, digest_size=SIGNATURE_BYTES, person=purpose)


def _formats(record: dict[str, Any]) -> str:
    """Name the formats in each other, which are signed too.

    So bytes that were signed as text, and that a stranger may have chosen, never pass for a pickle.
    """
    name: str = record.get("name") or record["class"]
    inner = record.get("options", {}).get("inner")
    return f"{name}/{_formats(inner)}" if isinstance(inner, dict) else name
