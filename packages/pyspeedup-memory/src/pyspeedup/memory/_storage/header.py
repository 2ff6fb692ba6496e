"""What a volume commits beside its pages: header, checksums of all pages, and the structure's state."""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import StoreCorruptedError, StoreError

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = [
    "CHECKSUM_BITS",
    "FORMAT",
    "MADE_WITHOUT_KEY",
    "SECRET_BYTES",
    "Header",
    "check_of",
    "decode_meta",
    "encode_meta",
    "require_fitting",
    "require_readable",
]

FORMAT = 1
"""Raised when what follows the magic changes; every older format stays readable."""

OLDEST = 1
"""What the first release wrote; before it, formats came and went."""
MAGIC = b"PySpVol\0"
CHECK = struct.Struct("<8sII")  # magic, format, checksum of all that follows
USED = 1 << 32
CHECKSUM_BITS = USED - 1
"""Of what the table keeps of a page, the part that is the CRC-32 of its bytes."""
SECRET_BYTES = 16
MADE_WITHOUT_KEY = "was made without keyed_hash=True, which stays so: copy its items to a new store"
SIZES = struct.Struct("<QQQ?")  # bytes of header, table and state; is there a state


class Header(NamedTuple):
    """What is fixed when a store is made."""

    identity: str
    origin: str  # the identity of the store that this is a copy of, or its own
    kind: str
    page_size: int
    serializer: dict[str, Any]
    secret: str = ""  # in hex; what text in keys is hashed with, where that is keyed


def check_of(data: BytesLike) -> int:
    """Return what the table keeps of a page with these bytes: never 0, which stands for no page."""
    return USED | zlib.crc32(data)


def require_readable(version: int, newest: int, name: str) -> None:
    """Raise `StoreError` for a format newer than `newest`, or older than that of the first release.

    >>> require_readable(0, 1, "words")
    Traceback (most recent call last):
    pyspeedup.core.errors.StoreError: words has format 0, which was written before the first release; \
open it with what wrote it, and copy its items
    """
    if version > newest:
        raise StoreError(f"{name} has format {version}; this release reads up to {newest}: upgrade")
    if version < OLDEST:
        raise StoreError(
            f"{name} has format {version}, which was written before the first release; "
            "open it with what wrote it, and copy its items"
        )


def require_fitting(
    header: Header,
    kind: str,
    identity: str | None,
    keyed_hash: bool,
    name: str,
) -> None:
    """Raise `StoreCorruptedError` for another `identity`, if there is to be one.

    `ValueError` for another `kind`, or for a `keyed_hash` where there is no secret.
    """
    if identity is not None and identity != header.identity:
        raise StoreCorruptedError(f"{name}: what it holds belongs to another store")
    if kind != header.kind:
        raise ValueError(f"{name} holds a {header.kind}, and cannot be opened as a {kind}")
    if keyed_hash and not header.secret:
        raise ValueError(f"{name} {MADE_WITHOUT_KEY}")


def encode_meta(header: Header, table: array[int], state: bytes | None) -> bytes:
    """Return the bytes that a volume commits, in O(pages)."""
    fields = header._asdict()
    if not header.secret:
        del fields["secret"]  # as it was before there could be one
    head = json.dumps(fields).encode()
    checks = _little_endian(table).tobytes()
    sizes = SIZES.pack(len(head), len(checks), len(state or b""), state is not None)
    body = b"".join([sizes, head, checks, state or b""])
    return CHECK.pack(MAGIC, FORMAT, zlib.crc32(body)) + body


def decode_meta(meta: bytes, name: str) -> tuple[Header, array[int], bytes | None]:
    """Return what `encode_meta` was given, without unused numbers at the end; a store that somebody else made is a `StoreError`.

    `StoreCorruptedError` for damage, `StoreError` for a format that is not `require_readable`.
    """
    if not meta.startswith(MAGIC):
        raise StoreError(f"{name} is not a store of pyspeedup.memory")
    if len(meta) < CHECK.size + SIZES.size:
        raise StoreCorruptedError(f"{name}: its header is cut short")
    _, version, checksum = CHECK.unpack_from(meta)
    require_readable(version, FORMAT, name)
    body = memoryview(meta)[CHECK.size :]
    if zlib.crc32(body) != checksum:
        raise StoreCorruptedError(f"{name}: the checksum of its header does not match")
    head_size, table_size, state_size, has_state = SIZES.unpack_from(body)
    ends = [SIZES.size, SIZES.size + head_size, SIZES.size + head_size + table_size]
    table = _little_endian(array("Q", bytes(body[ends[1] : ends[2]])))
    while table and not table[-1]:
        table.pop()
    state = bytes(body[ends[2] : ends[2] + state_size]) if has_state else None
    return Header(**json.loads(bytes(body[ends[0] : ends[1]]))), table, state


def _little_endian(table: array[int]) -> array[int]:
    if sys.byteorder == "little":
        return table
    swapped = array("Q", table)
    swapped.byteswap()
    return swapped
