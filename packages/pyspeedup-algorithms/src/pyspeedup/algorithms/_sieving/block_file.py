"""A file of equal blocks that is extended, never rewritten, and says when it is damaged.

::

    header       magic, version, bytes a block, capacity, blocks that are there; its own checksum
    directory    for each block: a number of the owner's, and the checksum of the block
    blocks       from a page's beginning on, so that all of them can be mapped as one array

Blocks are written first, then their entries, then the header says that they are there: whatever ends
the program in between, the file is as it was. What stands in a block follows from its place alone, so two
processes that extend a file at once write the same, and there is nothing to lock.
"""

from __future__ import annotations

import errno
import mmap
import os
import struct
import sys
import threading
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pyspeedup.algorithms.errors import DamagedFile

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BlockFile", "Layout"]

VERSION: Final = 1
HEADER: Final = struct.Struct("<8sIIQQII")
HEADER_ROOM: Final = 64
ENTRY: Final = struct.Struct("<QII")
PAGE: Final = 1 << 16
"""What blocks begin at a multiple of: where a mapping may begin, on any system."""

BINARY: Final = getattr(os, "O_BINARY", 0)
READ_ONLY: Final = (errno.EACCES, errno.EPERM, errno.EROFS)
SEEKING: Final = threading.Lock()
"""For systems where a place can be read only by going there."""


class Layout(NamedTuple):
    """What kind of file it is, and how large its parts are."""

    magic: bytes
    holds: str
    """What is in the file, for messages."""
    block: int
    """Bytes a block."""
    capacity: int
    """Blocks that the directory has room for."""

    @property
    def blocks_at(self) -> int:
        """Where the first block begins."""
        return -(-(HEADER_ROOM + ENTRY.size * self.capacity) // PAGE) * PAGE


class BlockFile:
    """The file at `path`, made if it is not there; read only where it cannot be written.

    Raises `ValueError` for a file of another format, `DamagedFile` for one that is damaged, and
    `OSError` for what the system says.
    """

    def __init__(self, path: str, layout: Layout) -> None:
        """Open the file and read its directory."""
        self.path = path
        self.layout = layout
        self._entries: list[tuple[int, int]] = []
        self._fd, self.writable = _opened(path)
        try:
            self._begin()
        except BaseException:
            os.close(self._fd)
            raise

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def closed(self) -> bool:
        """Whether it has been let go of."""
        return self._fd < 0

    def note(self, i: int) -> int:
        """Return the number that the owner has put down for a block."""
        return self._entries[i][0]

    def read(self, i: int) -> bytes:
        """Return a block; `DamagedFile` if it isn't what was written."""
        size = self.layout.block
        found = _read_at(self._fd, size, self.layout.blocks_at + i * size)
        self.check(i, found)
        return found

    def check(self, i: int, block: bytes | memoryview) -> None:
        """Raise `DamagedFile` unless this is what was written as the block."""
        if zlib.crc32(block) != self._entries[i][1]:
            raise DamagedFile(self.path, f"block {i} is not what was written")

    def extend(self, notes: Sequence[int], blocks: Sequence[bytes]) -> None:
        """Add blocks, each with a number, behind those that are there."""
        layout, first = self.layout, len(self._entries)
        added = [(note, zlib.crc32(block)) for note, block in zip(notes, blocks, strict=True)]
        _write_at(self._fd, b"".join(blocks), layout.blocks_at + first * layout.block)
        _write_at(self._fd, _packed(added), HEADER_ROOM + first * ENTRY.size)
        os.fsync(self._fd)
        self._write_header([*self._entries, *added])
        self._entries += added

    def refresh(self) -> None:
        """Take in what another process has added."""
        entries = self._read_entries()
        if len(entries) > len(self._entries):
            self._entries = entries

    def mapped(self) -> mmap.mmap:
        """Return the file up to its last block as memory, shared with all who map it."""
        end = self.layout.blocks_at + len(self._entries) * self.layout.block
        return mmap.mmap(self._fd, end, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Let go of the file; again is harmless."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _begin(self) -> None:
        if os.fstat(self._fd).st_size == 0 and self.writable:
            self._write_header([])
        self._entries = self._read_entries()

    def _write_header(self, entries: list[tuple[int, int]]) -> None:
        layout = self.layout
        fields = (layout.magic, VERSION, layout.block, layout.capacity, len(entries))
        known = HEADER.pack(*fields, zlib.crc32(_packed(entries)), 0)[:-4]
        _write_at(self._fd, known + struct.pack("<I", zlib.crc32(known)), 0)

    def _read_entries(self) -> list[tuple[int, int]]:
        blocks, checksum = self._read_header()
        packed = _read_at(self._fd, blocks * ENTRY.size, HEADER_ROOM)
        end = self.layout.blocks_at + blocks * self.layout.block
        if blocks and os.fstat(self._fd).st_size < end:
            raise DamagedFile(self.path, "its end is missing")
        if zlib.crc32(packed) != checksum:
            raise DamagedFile(self.path, "its directory is not what was written")
        return [(note, crc) for note, crc, _ in ENTRY.iter_unpack(packed)]

    def _read_header(self) -> tuple[int, int]:
        """Return how many blocks there are, and the checksum of their entries."""
        header = _read_at(self._fd, HEADER.size, 0)
        layout = self.layout
        if header[:8] != layout.magic:
            raise ValueError(f"{self.path} is no file of {layout.holds}: nothing is done to it")
        if len(header) < HEADER.size or zlib.crc32(header[:-4]) != HEADER.unpack(header)[-1]:
            raise DamagedFile(self.path, "its header is not what was written")
        _, version, block, capacity, blocks, checksum, _ = HEADER.unpack(header)
        if (version, block, capacity) != (VERSION, layout.block, layout.capacity):
            raise ValueError(
                f"{self.path} is a file of {layout.holds} of version {version}; this is {VERSION}"
            )
        return blocks, checksum


def _packed(entries: list[tuple[int, int]]) -> bytes:
    return b"".join(ENTRY.pack(note, crc, 0) for note, crc in entries)


def _opened(path: str) -> tuple[int, bool]:
    """Return a descriptor, and whether it may be written to."""
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | BINARY, 0o666), True
    except OSError as error:
        if error.errno not in READ_ONLY or not Path(path).exists():
            raise
        return os.open(path, os.O_RDONLY | BINARY), False


def _read_at(fd: int, size: int, offset: int) -> bytes:
    """Return so many bytes, or fewer where the file ends."""
    found = bytearray()
    while len(found) < size:
        more = _pread(fd, size - len(found), offset + len(found))
        if not more:
            break
        found += more
    return bytes(found)


def _write_at(fd: int, data: bytes, offset: int) -> None:
    rest = memoryview(data)
    while rest:
        written = _pwrite(fd, rest, offset)
        offset += written
        rest = rest[written:]


if sys.platform == "win32":

    def _pread(fd: int, size: int, offset: int) -> bytes:
        with SEEKING:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.read(fd, size)

    def _pwrite(fd: int, data: memoryview, offset: int) -> int:
        with SEEKING:
            os.lseek(fd, offset, os.SEEK_SET)
            return os.write(fd, data)

else:
    _pread, _pwrite = os.pread, os.pwrite
