"""The file that records changes: appended to, cut back, emptied; and reading it after a kill.

A header says which commit of which store it follows. Records come after it, each with two checks: one
of its own head, so that what is merely cut short is told from damage, and one of its bytes. All begin
with the check before them, so that no record counts in another place.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from pyspeedup.core import StoreCorruptedError, StoreError
from pyspeedup.memory import _platform

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Found", "Journal", "Place", "find_records", "read_journal"]

FORMAT = 1
MAGIC = b"PySpJnl\0"
HEADER = struct.Struct("<8sI32sI36s")
"""Magic, format, identity of the store, check of the commit that it follows, run of the machine."""
CHECK = struct.Struct("<I")
HEADER_SIZE = HEADER.size + CHECK.size
RECORD = struct.Struct("<QII")
"""Bytes of the record, their check, and the check of these two."""
LENGTH_AND_CHECK = struct.Struct("<QI")
NO_BOOT = bytes(36)


class Place(NamedTuple):
    """How far the file is written, and the check that the next record begins with."""

    end: int
    check: int


NOWHERE = Place(0, 0)


class Journal:
    """The open journal of a volume: what was changed since its last commit.

    What `append` has written outlives the process at once; after a loss of power the records up to
    some moment are there. Every call costs one system call.
    """

    def __init__(self, path: Path, volume: Volume) -> None:
        """Begin an empty journal in the file `path`, dropping what is there."""
        self._path = path
        self._volume = volume
        self._base: int | None = None
        self._file = _platform.open_file(path, write=True, create=True)
        self.place = NOWHERE
        try:
            self.restart()
        except BaseException:
            os.close(self._file)
            raise

    @property
    def is_current(self) -> bool:
        """Whether a record may be added: it is known which commit the next one follows."""
        mark = self._volume.commit_mark
        return mark is not None and (not self.place.end or mark == self._base)

    def append(self, payload: bytes) -> None:
        """Add a record, in O(bytes). Where it raises, `cut` to the place before takes away what is there."""
        place = self.place
        begin = b""
        if not place.end:
            begin = self._header()
            place = Place(HEADER_SIZE, zlib.crc32(begin))
        check = zlib.crc32(payload, place.check)
        head = LENGTH_AND_CHECK.pack(len(payload), check)
        record = b"".join([begin, head, CHECK.pack(zlib.crc32(head, place.check)), payload])
        try:
            _platform.write_at(self._file, record, self.place.end)
        except OSError as error:
            error.filename = str(self._path)  # else nobody learns which disk is full
            raise
        self.place = Place(self.place.end + len(record), check)

    def _header(self) -> bytes:
        volume = self._volume
        self._base = volume.commit_mark
        if self._base is None:
            raise RuntimeError(
                f"{self._path}: it is not known which commit a record follows; commit first"
            )
        return _header_of(volume.identity, self._base, _this_boot())

    def cut(self, place: Place) -> None:
        """Drop what was added since `place`, or begun."""
        if place.end <= self.place.end:  # else all was dropped meanwhile
            os.ftruncate(self._file, place.end)
            self.place = place

    def restart(self) -> None:
        """Drop all records, after a commit that holds what they say.

        Where it raises, they stay, follow an older commit, and keep the journal from being current.
        """
        os.ftruncate(self._file, 0)
        self.place = NOWHERE

    def close(self) -> None:
        """Let go of the file, and remove it where no record waits to be taken up."""
        os.close(self._file)
        if not self.place.end:
            self._path.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Close a forked child's descriptor; the file stays the parent's."""
        os.close(self._file)


class Found(NamedTuple):
    """The records that count, and what keeps those after them from it."""

    records: list[bytes]
    error: StoreError | None


def read_journal(path: Path, identity: str, commit_mark: int | None) -> list[bytes]:
    """Return the records that follow that commit of that store, none where they follow another.

    A last record that is cut short was never acknowledged, and is left out; so is, after the machine was
    started anew, all from the first one on that did not reach the disk. Anything else that does
    not match is `StoreCorruptedError`, and a format of a newer release `StoreError`. In O(bytes).
    """
    found = find_records(path, identity, commit_mark)
    if found.error is not None:
        raise found.error
    return found.records


def find_records(path: Path, identity: str, commit_mark: int | None) -> Found:
    """Return what `read_journal` does, or the records up to damage, and what that would raise."""
    data = path.read_bytes()
    if len(data) < HEADER_SIZE or not any(data[:HEADER_SIZE]):
        return Found([], None)  # cut short, or a hole where a loss of power left only the length
    try:
        header = _decode_header(data)
    except ValueError as error:
        return Found([], StoreCorruptedError(f"{path}: {error}"))
    refusal = _refusal(header, path, identity)
    if refusal is not None or header.base != commit_mark:
        return Found([], refusal)
    records: list[bytes] = []
    try:
        records.extend(_records(data))
    except ValueError as error:
        if header.boot == _this_boot() != NO_BOOT:
            reason = f"{path}: record {len(records)}: {error}"
            return Found(records, StoreCorruptedError(reason))
    return Found(records, None)


def _refusal(header: _Header, path: Path, identity: str) -> StoreError | None:
    if header.version > FORMAT:
        return StoreError(f"{path} has format {header.version}; this release reads up to {FORMAT}")
    if header.identity != identity:
        return StoreCorruptedError(f"{path}: it belongs to another store")
    return None


class _Header(NamedTuple):
    version: int
    identity: str
    base: int
    boot: bytes


def _decode_header(data: bytes) -> _Header:
    magic, version, identity, base, boot = HEADER.unpack_from(data)
    (check,) = CHECK.unpack_from(data, HEADER.size)
    if magic != MAGIC or check != zlib.crc32(data[: HEADER.size]):
        raise ValueError("its header is damaged")
    return _Header(version, identity.decode("ascii"), base, boot)


def _header_of(identity: str, base: int, boot: bytes) -> bytes:
    header = HEADER.pack(MAGIC, FORMAT, identity.encode("ascii"), base, boot)
    return header + CHECK.pack(zlib.crc32(header))


def _records(data: bytes) -> Iterator[bytes]:
    """Yield the records after the header; `ValueError` where one is damaged."""
    position, check = HEADER_SIZE, zlib.crc32(data[:HEADER_SIZE])
    while len(data) - position >= RECORD.size:
        length, own_check, head_check = RECORD.unpack_from(data, position)
        head = data[position : position + LENGTH_AND_CHECK.size]
        if zlib.crc32(head, check) != head_check:
            raise ValueError("its head is damaged")
        position += RECORD.size
        payload = data[position : position + length]
        if len(payload) < length:
            return
        check = zlib.crc32(payload, check)
        if check != own_check:
            raise ValueError("its checksum does not match")
        yield payload
        position += length


def _this_boot() -> bytes:
    """Return what tells this run of the machine from others, zeros where nothing does."""
    return _platform.boot_id().encode().ljust(len(NO_BOOT), b"\0")[: len(NO_BOOT)]
