"""Stores with damage at chosen places, and which items that leaves whole."""

from __future__ import annotations

import random
import shutil
import sqlite3
from array import array
from bisect import bisect_right
from contextlib import closing
from itertools import accumulate, pairwise

from pyspeedup.memory import DiskDict, DiskList
from pyspeedup.memory._dict.rows import ROW
from pyspeedup.memory._list.records import ELSEWHERE, PLACE

LENGTH = 3_000
PAGE = 64
LONGEST_STRETCH = 300
"""Bytes that are damaged in one place, at most."""


def content():
    """Return items whose bytes no other item has, in their order: plain ones, mutable ones, long ones."""
    chance = random.Random(7)
    return {
        (f"key {n}" if n % 3 else (n, "key")): [
            chance.randbytes(30).hex(),
            (n, chance.random()),
            [n, chance.randbytes(20)],
            chance.randbytes(20_000 if n % 500 == 3 else 200),
        ][n % 4]
        for n in range(LENGTH)
    }


class Whole:
    """A dict that is whole: its items, and which bytes of its pages each of them needs."""

    structure = DiskDict

    def __init__(self, folder, page_store):
        self.folder = folder / "x.pyspeedup"
        self.page_store = page_store
        self.items = list(content().items())
        self._make(folder, page_store)

    def _make(self, folder, page_store):
        with DiskDict("x", PAGE, file_location=folder, page_store=page_store) as d:
            d.update(self.items[: LENGTH // 2])
            d.update((f"gone {n}", str(n)) for n in range(200))
            d.update(self.items[LENGTH // 2 :])
            for n in range(200):
                del d[f"gone {n}"]
        with DiskDict("x", file_location=folder, readonly=True) as d:
            self._learn(d._content.volume, d._content.log)

    def _learn_pages(self, volume):
        self.numbers = volume.pages()
        self.pages = [bytes(volume.read(number)) for number in self.numbers]
        self.starts = [0, *accumulate(map(len, self.pages))]

    def _learn(self, volume, log):
        self._learn_pages(volume)
        joined = b"".join(self.pages)
        self.parts = []
        begin = [
            0,
            0,
        ]  # where the last record and the last row are: the next is mostly the one after it
        for entry in range(log.end):
            if (record := log.record(entry)) is not None:
                parts = record[0], ROW.pack(*log.rows.get(entry))
                for kind, part in enumerate(parts):
                    found = joined.find(part, begin[kind])
                    begin[kind] = joined.index(part) if found < 0 else found
                self.parts.append([*zip(begin, map(len, parts), strict=True)])
        assert len(self.parts) == LENGTH

    def page_at(self, place):
        """Return which of the pages has the byte at `place` of all of them, put one after the other."""
        return bisect_right(self.starts, place) - 1

    def pages_of(self, part):
        """Return the pages in which items have their records (0) or their rows (1); others (2)."""
        used = [{self.page_at(places[kind][0]) for places in self.parts} for kind in (0, 1)]
        return sorted((*used, set(range(len(self.pages))) - used[0] - used[1])[part])

    def damaged(self, location, patches=(), gone=()):
        """Make a copy in `location` with damage, and return the items that it leaves whole.

        A patch is where it begins among the bytes of all pages, and what stands there now; of `gone` pages
        nothing is left.
        """
        shutil.copytree(self.folder, location / "x.pyspeedup")
        now = [bytearray(page) for page in self.pages]
        for start, data in patches:
            page = self.page_at(start)
            at = start - self.starts[page]
            now[page][at : at + len(data)] = data
            assert len(now[page]) == len(self.pages[page])
        for page, (before, after) in enumerate(zip(self.pages, now, strict=True)):
            if page in gone or before != after:
                left = None if page in gone else bytes(after)
                REPLACING[self.page_store](location / "x.pyspeedup", before, left)
        hit = [(start, start + len(data)) for start, data in patches]
        hit += [(self.starts[page], self.starts[page + 1]) for page in gone]
        return [
            item
            for item, places in zip(self.items, self.parts, strict=True)
            if not any(
                start < place + length and place < stop
                for place, length in places
                for start, stop in hit
            )
        ]

    def spoiled(self, start, length):
        """Return a patch that changes every byte of these, as far as the page reaches.

        It leaves the highest bits, since that of a number in a page of a list means nothing to the next row.
        """
        page = self.page_at(start)
        at = start - self.starts[page]
        chance = random.Random(start)
        return start, bytes(
            byte ^ chance.randrange(1, 128) for byte in self.pages[page][at : at + length]
        )

    def spoiled_page(self, page):
        """Return a patch that changes every byte of a page."""
        return self.spoiled(self.starts[page], len(self.pages[page]))

    def spoiled_anywhere(self, chance):
        """Return patches of one to five places, each of one byte or more, anywhere in the pages."""
        lengths = (1, chance.randint(1, LONGEST_STRETCH))
        return [
            self.spoiled(chance.randrange(self.starts[-1]), chance.choice(lengths))
            for _ in range(chance.randint(1, 5))
        ]


class WholeList(Whole):
    """A list that is whole, with pages of varying fill."""

    structure = DiskList

    def _make(self, folder, page_store):
        self.items = [value for _, value in self.items]
        with DiskList("x", PAGE, file_location=folder, page_store=page_store) as stored:
            stored.extend(self.items[::2])
            for place, value in enumerate(self.items[1::2]):
                stored.insert(2 * place + 1, value)
            stored[100:100] = range(200)
            del stored[100:300]
        with DiskList("x", file_location=folder, readonly=True) as stored:
            assert stored == self.items
            self._learn_rows(stored._content.volume, stored._content.pages.table)

    def _learn_rows(self, volume, table):
        self._learn_pages(volume)
        self.parts = []
        for number, rows in table:
            page = self.numbers.index(number)
            begin, head = self.starts[page], 8 * (rows + 1)
            words = array("I", self.pages[page][:head])
            for row, (before, end) in enumerate(pairwise(words[::2])):
                body = before & PLACE, (end & PLACE) - (before & PLACE)
                places = [(begin + 8 * row, 4), (begin + 8 * row + 8, 8)]
                places.append((begin + head + body[0], body[1]))
                if end & ELSEWHERE:
                    at = places[2][0] - begin
                    own = self.numbers.index(
                        int.from_bytes(self.pages[page][at : at + 8], "little")
                    )
                    places.append((self.starts[own], len(self.pages[own])))
                self.parts.append(places)
        assert len(self.parts) == LENGTH

    def pages_of(self, part):
        """Return the pages in which rows (0), or bodies alone (1), are."""
        used = {self.page_at(places[0][0]) for places in self.parts}
        return sorted(used if part == 0 else set(range(len(self.pages))) - used)


def _in_file(path, before, after):
    data = path.read_bytes()
    assert before in data
    path.write_bytes(data.replace(before, after))


def _in_database(folder, before, after):
    with closing(sqlite3.connect(folder / "pages.sqlite3")) as database:
        if after is None:
            changed = database.execute("delete from content where data = ?", (before,))
        else:
            changed = database.execute(
                "update content set data = ? where data = ?", (after, before)
            )
        assert changed.rowcount == 1
        database.commit()


def _in_folder(folder, before, after):
    (path,) = [path for path in (folder / "pages").iterdir() if path.read_bytes() == before]
    if after is None:
        path.unlink()
    else:
        path.write_bytes(after)


REPLACING = {
    "file": lambda folder, *pages: _in_file(folder / "data", *pages),
    "lmdb": lambda folder, *pages: _in_file(folder / "data.mdb", *pages),
    "sqlite": _in_database,
    "fsspec": _in_folder,
}
