"""The items of a dict on disk: the log of its entries and the index of its keys, which change together."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError, StoreCorruptedError
from pyspeedup.memory._dict.batch import make_batch
from pyspeedup.memory._dict.bulk import replace_many
from pyspeedup.memory._dict.entries import CHANGING, EntryLog
from pyspeedup.memory._dict.hashing import stable_hash
from pyspeedup.memory._dict.heap import make_record
from pyspeedup.memory._dict.key_index import KeyIndex
from pyspeedup.memory._dict.packing import PLAIN_KEYS, key_image
from pyspeedup.memory._dict.runs import Runs
from pyspeedup.memory._dict.unwritten import ENCODED, NEW
from pyspeedup.memory._pages.bodies import PickleCodec, key_codec, value_codec
from pyspeedup.memory._pages.packing import pack_plain
from pyspeedup.memory._short_repr import named

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pyspeedup.memory._dict.batch import Batch
    from pyspeedup.memory._dict.key_index import Found
    from pyspeedup.memory._dict.known_keys import KnownKeys
    from pyspeedup.memory._dict.unwritten import Unwritten
    from pyspeedup.memory._storage.volume import Volume

__all__ = ["Items"]

STATE = struct.Struct("<BQ")  # format, bytes of the log's state; then that, then the index's
STATE_FORMAT = 2
BATCH = 8_192
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
        self.runs = Runs(self.log)
        self.keys = KeyIndex(self._volume, self.log, index_state)
        self._next_to_tidy = 0

    def insert(self, key: Any, image: bytes, body: bytes, flags: int, *, is_odd: bool) -> int:
        """Add an item whose key has no entry, and return that; `image` gives the rest."""
        record, size = make_record(image, body)
        self.log.fit([len(record)])
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

    def finds_itself_only(self, key: Any) -> bool:
        """Return whether no other object is found to be `key` once it was written and read again."""
        return stable_hash(key) is None or self.image(key)[1]

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

    def write(self, unwritten: Unwritten) -> None:
        """Write what is `unwritten`, in order; what fails stays there. O(items)."""
        self._replace_odd_ones(unwritten)
        while unwritten.values:
            keys, values = unwritten.take(BATCH)
            bodies = self._bodies(unwritten, keys, values)
            batch = make_batch(keys, bodies, self._images, self.keys.codes_of)
            flags = CHANGING if unwritten.bodies else 0
            existing = self._existing(unwritten, batch)
            if existing:
                self._replace(batch, existing, flags)
                unwritten.discard_many([keys[position] for position in existing])
                batch = batch.without(existing)
            self._append(unwritten, batch, flags)

    def _replace_odd_ones(self, unwritten: Unwritten) -> None:
        """Write what was changed in the values of keys that are found by more than their bytes."""
        for key in [key for key in unwritten.bodies if type(key) not in PLAIN_KEYS]:
            entry = unwritten.entries.get(key, NEW)
            record = None if entry == NEW else self.log.record(entry)
            if record is not None:
                self.replace((entry, record), unwritten.bodies[key], CHANGING)
            unwritten.discard(key)

    def _images(self, keys: list[Any]) -> list[bytes]:
        return pack_plain(keys) if self.packs else list(map(self._image, keys))

    def _bodies(self, unwritten: Unwritten, keys: list[Any], values: list[Any]) -> Sequence[bytes]:
        bodies = unwritten.bodies
        if not bodies:
            return pack_plain(values)
        plain = iter(pack_plain([value for value in values if value is not ENCODED]))
        return [
            bodies[key] if value is ENCODED else next(plain)
            for key, value in zip(keys, values, strict=True)
        ]

    def _existing(self, unwritten: Unwritten, batch: Batch) -> dict[int, Found]:
        """Return the entries of those keys that have one, and their records, by position."""
        known = unwritten.entries
        if not known:
            return (
                self.keys.find_many(batch.keys, batch.codes, batch.images) if self.log.count else {}
            )
        self.settle(unwritten, batch.keys)
        found = {}
        for position, key in enumerate(batch.keys):
            record = None if known[key] == NEW else self.log.record(known[key])
            if record is not None:
                found[position] = known[key], record
        return found

    def _replace(self, batch: Batch, existing: dict[int, Found], flags: int) -> None:
        """Give entries that exist their new values; their keys stay as they are."""
        entries, records, sizes = [], [], []
        for position, (entry, (data, begin, end)) in sorted(existing.items(), key=_entry_of):
            record, size = batch.records[position], batch.sizes[position]
            image = data[begin:end]
            if image != batch.images[position]:  # an equal key, which stays as it was
                record, size = make_record(image, batch.bodies[position])
            entries.append(entry)
            records.append(record)
            sizes.append(size)
        replace_many(self.log, entries, records, sizes, flags)

    def _append(self, unwritten: Unwritten, batch: Batch, flags: int) -> None:
        """Add what has no entry yet."""
        lengths = list(map(len, batch.records))
        start = 0
        try:
            while start < len(batch.keys):
                stop = start + self.log.fit(lengths[start:])
                some = slice(start, stop)
                # Should this be interrupted, the index tells the next time which of them are written.
                # It learns of them first: what leads to entries that are not there does no harm.
                unwritten.unsettle(batch.keys[some])
                self.keys.add_many(batch.keys[some], batch.codes[some], self.log.end)
                self.log.append(batch.records[some], batch.sizes[some], flags)
                start = stop
        finally:
            unwritten.discard_many(batch.keys[:start])

    def settle(self, unwritten: Unwritten, keys: Iterable[Any]) -> None:
        """Find out which entries some of the `unwritten` keys have, in O(keys)."""
        keys = [key for key in keys if key not in unwritten.entries]
        existing = {}
        if self.log.count and keys:
            existing = self.keys.find_many(keys, self.keys.codes_of(keys), self._images(keys))
        for position, key in enumerate(keys):
            found = existing.get(position)
            unwritten.settle(key, NEW if found is None else found[0])

    # ---- all of it -----------------------------------------------------------------------------

    def clear(self) -> None:
        """Take everything out, in O(pages)."""
        log, keys = self.log, self.keys
        new = EntryLog(self._volume, self.codecs)
        new_keys, runs = KeyIndex(self._volume, new), Runs(new)
        # Nothing is called in between, so that no interruption parts them.
        self.log, self.runs, self.keys, self._next_to_tidy = new, runs, new_keys, 0
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

    def compact(self, known: KnownKeys) -> None:
        """Write the live entries anew, one after the other, numbered from 0, in O(bytes).

        The `known` keys that are alive get their new numbers.
        """
        log = EntryLog(self._volume, self.codecs)
        try:
            maps = known.renumbered(self.log.copy_to(log, known.entries()))
            keys, runs = self.keys.rebuilt(log), Runs(log)
        except BaseException:
            log.drop_pages(long_ones=False)
            raise
        old_log, old_keys = self.log, self.keys
        # Nothing is called in between, so that no interruption parts them.
        self.log, self.runs, self.keys, known.maps = log, runs, keys, maps
        self._next_to_tidy = 0
        try:
            old_log.drop_pages(long_ones=False)
        finally:
            old_keys.clear()

    def check(self) -> None:
        """Raise `AssertionError` where the parts contradict each other; reads everything."""
        self.keys.check()
        self.log.check()
        for entry, key in self.runs.each_key(marked_only=False):
            if stable_hash(key) is not None and not self.image(key)[1]:
                found = self.keys.find(key)
                if found is None or found[0] != entry:
                    raise AssertionError(f"key {named(key)} of entry {entry} leads to {found}")


def _entry_of(item: tuple[int, Found]) -> int:
    return item[1][0]


def _decode_state(state: bytes, name: str) -> tuple[bytes, bytes]:
    version, size = STATE.unpack_from(state)
    if version != STATE_FORMAT:
        raise StoreCorruptedError(f"{name}: its state has format {version}, not {STATE_FORMAT}")
    return state[STATE.size : STATE.size + size], state[STATE.size + size :]
