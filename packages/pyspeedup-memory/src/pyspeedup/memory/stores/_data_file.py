"""The bytes of a data file as its last writer left them: which commit counts, and what is damage."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from pyspeedup.core import StoreCorruptedError
from pyspeedup.memory._platform import boot_id, read_at
from pyspeedup.memory.stores._page_table import PageTable
from pyspeedup.memory.stores._slots import (
    BLOCK,
    HEADER_SIZE,
    SESSION_BLOCK,
    SLOTS,
    Session,
    Slot,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Commit", "Found", "encode_manifest", "find_commit", "this_boot"]

TABLE_SIZE = struct.Struct("<Q")
BOOT_SIZE = 36
SCAN = 1 << 20
"""Bytes that are read at a time where pages have to be checked."""


class Commit(NamedTuple):
    """One commit: its slot, and what its manifest says."""

    slot: Slot
    table: PageTable
    meta: bytes | None


class Found(NamedTuple):
    """What `find_commit` found."""

    commit: Commit
    """The commit that counts."""
    durable: Commit | None
    """The last durable one, where it is another."""
    slots: list[Slot | None]
    """All commits that have a slot, where they are."""
    after_restart: bool
    """Whether the machine was, or may have been, started anew since, and the slots need tidying."""


def this_boot() -> bytes:
    """Return what tells this run of the machine from others, zeros where nothing does."""
    return boot_id().encode().ljust(BOOT_SIZE, b"\0")[:BOOT_SIZE]


def encode_manifest(table: PageTable, meta: bytes | None) -> bytes:
    """Return the bytes that a slot points at, in O(pages)."""
    encoded = table.to_bytes()
    return TABLE_SIZE.pack(len(encoded)) + encoded + (meta or b"")


def find_commit(descriptor: int, size: int, name: str) -> Found:
    """Return the commit that a data file of `size` bytes stands at.

    While the machine has not been started anew since it was written, that is the newest: whatever
    does not fit is damage, and `StoreCorruptedError`. Otherwise power may have been lost, and what was
    not synced may be there in part: then the newest counts of which every page is whole.
    """
    header = read_at(descriptor, HEADER_SIZE, 0)
    blocks = [header[start : start + BLOCK] for start in range(0, HEADER_SIZE, BLOCK)]
    slots, damage = _decode_slots(blocks[:SLOTS])
    ordered = sorted((slot for slot in slots if slot), reverse=True)
    if not ordered:
        raise StoreCorruptedError(f"{name}: its header is damaged, and names no commit")
    same_boot = ordered[0].boot == this_boot() != bytes(BOOT_SIZE)
    if same_boot:
        _require_undamaged(blocks[SESSION_BLOCK], ordered[0], size, damage, name)
    commit = _newest_whole(descriptor, ordered, size, name, same_boot=same_boot)
    durable = next((slot for slot in ordered if slot.durable), None)
    if durable is None or durable.commit >= commit.slot.commit:
        return Found(commit, None, slots, not same_boot)
    return Found(commit, _load(descriptor, durable, size, name), slots, not same_boot)


def _decode_slots(blocks: list[bytes]) -> tuple[list[Slot | None], str]:
    slots: list[Slot | None] = []
    damage = ""
    for block in blocks:
        try:
            slots.append(Slot.decode(block))
        except ValueError as error:
            slots.append(None)
            damage = str(error)
    return slots, damage


def _require_undamaged(block: bytes, newest: Slot, size: int, damage: str, name: str) -> None:
    if damage:
        raise StoreCorruptedError(f"{name}: {damage}")
    try:
        session = Session.decode(block)
    except ValueError as error:
        raise StoreCorruptedError(f"{name}: {error}") from error
    if session.clean and (size, newest.commit) != (session.size, session.commit):
        raise StoreCorruptedError(
            f"{name}: it has {size} bytes and commit {newest.commit}, but was closed with "
            f"{session.size} bytes and commit {session.commit}"
        )


def _newest_whole(
    descriptor: int, ordered: list[Slot], size: int, name: str, *, same_boot: bool
) -> Commit:
    for slot in ordered:
        if same_boot or slot.durable:
            return _load(descriptor, slot, size, name)
        try:
            commit = _load(descriptor, slot, size, name)
            _check_pages(descriptor, commit.table, name)
        except StoreCorruptedError as error:
            damage = error  # lost with the power; an older commit may be whole
        else:
            return commit
    raise damage


def _load(descriptor: int, slot: Slot, size: int, name: str) -> Commit:
    """Read the manifest that `slot` names, and check it and that the file is long enough for it."""
    manifest = read_at(descriptor, slot.length, slot.offset) if slot.length else b""
    if len(manifest) != slot.length or zlib.crc32(manifest) != slot.checksum:
        raise StoreCorruptedError(f"{name}: the page table of commit {slot.commit} is damaged")
    if not manifest:
        return Commit(slot, PageTable(), None)
    (table_size,) = TABLE_SIZE.unpack_from(manifest)
    split = TABLE_SIZE.size + table_size
    table = PageTable.from_bytes(manifest[TABLE_SIZE.size : split])
    if size < table.end:
        raise StoreCorruptedError(f"{name}: it is cut short: {size} of {table.end} bytes")
    return Commit(slot, table, manifest[split:] if slot.has_meta else None)


def _check_pages(descriptor: int, table: PageTable, name: str) -> None:
    for page, extent in table.items():
        checksum = 0
        for chunk in _chunks(descriptor, extent.offset, extent.length):
            checksum = zlib.crc32(chunk, checksum)
        if checksum != extent.checksum:
            raise StoreCorruptedError(f"{name}, page {page}: its checksum does not match")


def _chunks(descriptor: int, offset: int, length: int) -> Iterator[bytes]:
    for start in range(0, length, SCAN):
        yield read_at(descriptor, min(SCAN, length - start), offset + start)
