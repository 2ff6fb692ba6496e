"""The items of a dict on disk: the log of its entries and the index of its keys, which change together."""

from __future__ import annotations

import struct
from operator import add
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._dict.entries import CHANGING, EntryLog
from pyspeedup.memory._dict.hashing import stable_hash
from pyspeedup.memory._dict.heap import LONG_KEY, make_record
from pyspeedup.memory._dict.key_index import KeyIndex, codes_of
from pyspeedup.memory._dict.packing import PLAIN_KEYS, key_image
from pyspeedup.memory._dict.unwritten import ENCODED, NEW
from pyspeedup.memory._pages.bodies import PickleCodec, key_codec, value_codec
from pyspeedup.memory._pages.packing import pack_plain
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pyspeedup.memory._dict.key_index import Found
    from pyspeedup.memory._dict.unwritten import Unwritten
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Items"]

STATE = struct.Struct("<BQ")  # format, bytes of the log's state; then that, then the index's
STATE_FORMAT = 2
BATCH = 2_048
"""So many items are written together: enough for work on batches, few enough that nobody waits."""


class Items:
    """Items by key and by entry, in pages of `volume`.

    Whatever raises has changed nothing, or what was changed is whole. Costs are O(1) and some looks
    at a few bytes, unless said otherwise.
    """

    def __init__(self, volume: Volume) -> None:
        """Begin from the state of `volume`, reading no page."""
        self._volume = volume
        self.codecs = key_codec(volume.serializer), value_codec(volume.serializer)
        self.packs = type(self.codecs[1]) is PickleCodec
        self.restart()

    def restart(self) -> None:
        """Begin again from the state of the volume."""
        log_state = index_state = None
        if self._volume.state is not None:
            log_state, index_state = _decode_state(self._volume.state, self._volume.name)
        self.log = EntryLog(self._volume, self.codecs, log_state)
        self.keys = KeyIndex(self._volume, self.log, index_state)
        self._next_to_tidy = 0

    def insert(self, key: Any, image: bytes, body: bytes, flags: int, *, is_odd: bool) -> int:
        """Add an item whose key has no entry, and return that; `image` gives the rest."""
        record, size = make_record(image, body)
        self.log.fit([record])
        entry = self.log.end
        if self.keys.add(key, entry) or is_odd:
            self.log.mark(entry)
        self.log.append([record], [size], flags)
        return entry

    def image(self, key: Any) -> tuple[bytes, bool]:
        """Return the bytes of a key, and whether what they are read as is another key, as with a NaN.

        `SerializationError` names the key. Runs code of the key.
        """
        try:
            image = self._image(key)
        except SerializationError as error:
            raise SerializationError(f"the key {named(key)}: {error}") from error
        if type(key) in PLAIN_KEYS or stable_hash(key) is None:
            return image, False
        again = self.codecs[0].decode(image)
        return image, not bool(again == key)

    def _image(self, key: Any) -> bytes:
        return key_image(key) or self.codecs[0].encode(key)

    def replace(self, found: Found, body: bytes, flags: int) -> None:
        """Give an entry another value; its key stays as it is."""
        entry, (data, begin, end) = found
        self.log.replace(entry, *make_record(data[begin:end], body), flags)

    def remove(self, entry: int) -> None:
        """Take an entry out."""
        self.log.remove(entry)
        self.keys.forget()

    # ---- many at once --------------------------------------------------------------------------

    def write(self, unwritten: Unwritten, *, only_some: bool = False) -> None:
        """Write what is `unwritten`, in order, or a first batch of it; what fails stays there. O(items)."""
        for key in [key for key in unwritten.bodies if type(key) not in PLAIN_KEYS]:
            entry = unwritten.entries.get(key, NEW)
            record = None if entry == NEW else self.log.record(entry)
            if record is not None:
                self.replace((entry, record), unwritten.bodies[key], CHANGING)
            unwritten.discard(key)
        while unwritten.values:
            before = len(unwritten)
            self._write_some(unwritten, *unwritten.take(BATCH))
            unwritten.weight = unwritten.weight * len(unwritten) // before  # about
            if only_some:
                return

    def _write_some(self, unwritten: Unwritten, keys: list[Any], values: list[Any]) -> None:
        bodies = _bodies(unwritten, keys, values)
        images = pack_plain(keys) if self.packs else list(map(self._image, keys))
        if max(map(len, images)) < LONG_KEY:
            records, sizes = list(map(add, images, bodies)), list(map(len, images))
        else:
            made = map(make_record, images, bodies)
            records, sizes = map(list, zip(*made, strict=True))
        flags = CHANGING if unwritten.bodies else 0
        codes = codes_of(keys)
        existing = self._existing(unwritten, keys, codes)
        if existing:
            for position, (entry, (data, begin, end)) in existing.items():
                record, size = records[position], sizes[position]
                if data[begin:end] != images[position]:  # an equal key, which stays as it was
                    record, size = make_record(data[begin:end], bodies[position])
                self.log.replace(entry, record, size, flags)
                unwritten.discard(keys[position])
            new = [position for position in range(len(keys)) if position not in existing]
            keys, codes, records, sizes = (
                [column[position] for position in new] for column in (keys, codes, records, sizes)
            )
        self._append(unwritten, keys, codes, records, sizes, flags)

    def _append(  # noqa: PLR0917 -- columns of one table, and what to do it with
        self,
        unwritten: Unwritten,
        keys: list[Any],
        codes: list[int],
        records: list[bytes],
        sizes: list[int],
        flags: int,
    ) -> None:
        start = 0
        while start < len(keys):
            stop = start + self.log.fit(records[start:])
            # Should this be interrupted, the index tells the next time which of them are written. It
            # learns of them first: what leads to entries that are not there does no harm.
            unwritten.unsettle(keys[start:stop])
            self.keys.add_many(keys[start:stop], codes[start:stop], self.log.end)
            self.log.append(records[start:stop], sizes[start:stop], flags)
            for key in keys[start:stop]:
                unwritten.discard(key)
            start = stop

    def _existing(
        self, unwritten: Unwritten, keys: list[Any], codes: list[int]
    ) -> dict[int, Found]:
        """Return the entries of those of `keys` that have one, and their records, by position."""
        known = unwritten.entries
        if not known:
            return self.keys.find_many(keys, codes) if self.log.count else {}
        self.settle(unwritten, keys)
        found = {}
        for position, key in enumerate(keys):
            record = None if known[key] == NEW else self.log.record(known[key])
            if record is not None:
                found[position] = known[key], record
        return found

    def settle(self, unwritten: Unwritten, keys: Iterable[Any]) -> None:
        """Find out which entries some of the `unwritten` keys have, in O(keys)."""
        keys = [key for key in keys if key not in unwritten.entries]
        existing = self.keys.find_many(keys, codes_of(keys)) if self.log.count and keys else {}
        for position, key in enumerate(keys):
            found = existing.get(position)
            unwritten.settle(key, NEW if found is None else found[0])

    # ---- all of it -----------------------------------------------------------------------------

    def clear(self) -> None:
        """Take everything out, in O(pages)."""
        log, keys = self.log, self.keys
        self.log = EntryLog(self._volume, self.codecs)
        self.keys = KeyIndex(self._volume, self.log)
        self._next_to_tidy = 0
        log.drop_pages(long_ones=True)
        keys.clear()

    def write_back(self) -> bytes:
        """Write every change to the volume, and return the state to begin from again."""
        index_state = self.keys.write_back()
        log_state = self.log.write_back()
        header = STATE.pack(STATE_FORMAT, len(log_state))
        return b"".join([header, log_state, index_state])

    def tidy(self, wanted: int) -> None:
        """Move about `wanted` bytes of records where too much of the heap is garbage; drop that."""
        heap, rows = self.log.heap, self.log.rows
        heap.drop_garbage()
        for _ in range(rows.page_count):
            if wanted <= 0 or heap.garbage <= heap.live_bytes + 4 * heap.capacity:
                break
            self._next_to_tidy %= rows.page_count
            wanted -= self.log.tidy(self._next_to_tidy) + 1
            self._next_to_tidy += 1
        heap.drop_garbage()

    def compact(self, wanted: set[int], renumber: Callable[[dict[int, int]], None]) -> None:
        """Write the live entries anew, one after the other, numbered from 0, in O(bytes).

        `renumber` is told the new numbers of those of the entries `wanted` that are alive.
        """
        log = EntryLog(self._volume, self.codecs)
        try:
            renamed = self.log.copy_to(log, wanted)
            keys = self.keys.rebuilt(log)
        except BaseException:
            log.drop_pages(long_ones=False)
            raise
        old_log, old_keys = self.log, self.keys
        self.log, self.keys = log, keys
        self._next_to_tidy = 0
        renumber(renamed)
        try:
            old_log.drop_pages(long_ones=False)
        finally:
            old_keys.clear()

    def check(self) -> None:
        """Raise `AssertionError` where the parts contradict each other; reads everything."""
        self.keys.check()
        self.log.check()
        for entry, key in self.log.each_key(marked_only=False):
            if stable_hash(key) is not None and not self.image(key)[1]:
                found = self.keys.find(key)
                if found is None or found[0] != entry:
                    raise AssertionError(f"key {named(key)} of entry {entry} leads to {found}")


def _bodies(unwritten: Unwritten, keys: list[Any], values: list[Any]) -> Sequence[bytes]:
    bodies = unwritten.bodies
    if not bodies:
        return pack_plain(values)
    plain = iter(pack_plain([value for value in values if value is not ENCODED]))
    return [
        bodies[key] if value is ENCODED else next(plain)
        for key, value in zip(keys, values, strict=True)
    ]


def _decode_state(state: bytes, name: str) -> tuple[bytes, bytes]:
    version, size = STATE.unpack_from(state)
    if version != STATE_FORMAT:
        raise StoreCorruptedError(f"{name}: its state has format {version}, not {STATE_FORMAT}")
    return state[STATE.size : STATE.size + size], state[STATE.size + size :]
