"""The first blocks of a data file: three slots for commits, and how the last session ended.

A commit overwrites the slot that is neither the newest nor the last durable one, so whatever cuts
it short leaves both as they were. A block is 4 KiB, which no disk writes in part beyond it.
"""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

__all__ = ["BLOCK", "HEADER_SIZE", "SESSION_BLOCK", "SLOTS", "Session", "Slot"]

BLOCK = 4096
SLOTS = 3
SESSION_BLOCK = SLOTS
HEADER_SIZE = (SLOTS + 1) * BLOCK

MAGIC = b"PySpFil1"
SLOT = struct.Struct("<8sQ?QQI?36s")
SESSION = struct.Struct("<8s?QQ")
CHECKSUM = struct.Struct("<I")


class Slot(NamedTuple):
    """One commit: its number, whether it was synced, where its manifest is, and when it was written."""

    commit: int
    durable: bool
    offset: int
    length: int
    checksum: int
    has_meta: bool
    boot: bytes

    def encode(self) -> bytes:
        """Return the slot's bytes."""
        return _sealed(SLOT.pack(MAGIC, *self))

    @classmethod
    def decode(cls, block: bytes) -> Slot | None:
        """Return the slot in `block`, None where none was ever written; `ValueError` for damage."""
        if not any(block[: SLOT.size + CHECKSUM.size]):
            return None
        return cls(*_unsealed(block, SLOT))


class Session(NamedTuple):
    """Whether the last writer closed the file, how long it was then, and its last commit."""

    clean: bool
    size: int
    commit: int

    def encode(self) -> bytes:
        """Return the session's bytes."""
        return _sealed(SESSION.pack(MAGIC, *self))

    @classmethod
    def decode(cls, block: bytes) -> Session:
        """Return the session in `block`; `ValueError` for damage."""
        return cls(*_unsealed(block, SESSION))


def _sealed(data: bytes) -> bytes:
    return data + CHECKSUM.pack(zlib.crc32(data))


def _unsealed(block: bytes, layout: struct.Struct) -> tuple[Any, ...]:
    if len(block) < layout.size + CHECKSUM.size:
        raise ValueError("a block of the header is cut short")
    data = block[: layout.size]
    if CHECKSUM.unpack_from(block, layout.size)[0] != zlib.crc32(data):
        raise ValueError("the checksum of a block of the header does not match")
    magic, *fields = layout.unpack(data)
    if magic != MAGIC:
        raise ValueError("a block of the header is of another kind of file")
    return tuple(fields)
