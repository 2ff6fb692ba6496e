"""A writer to be killed: each commit changes pages by a rule that the test can follow."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import MutableMapping
from pathlib import Path

from pyspeedup.memory import FileStore, SqliteStore
from pyspeedup.memory._storage.volume import Volume


class Folder(MutableMapping):
    """A file a key, put whole by renaming."""

    def __init__(self, path):
        self.path = Path(path)

    def __getitem__(self, key):
        try:
            return (self.path / key).read_bytes()
        except FileNotFoundError:
            raise KeyError(key) from None

    def __setitem__(self, key, value):
        beside = self.path / f"{key}.new"
        beside.write_bytes(value)
        beside.replace(self.path / key)

    def __delitem__(self, key):
        (self.path / key).unlink()

    def __iter__(self):
        return (path.name for path in self.path.iterdir() if path.suffix != ".new")

    def __len__(self):
        return sum(1 for _ in self)


STORES = {"file": FileStore, "sqlite": SqliteStore, "mapping": Folder}


def open_volume(kind, folder):
    return Volume(STORES[kind](folder), kind="toy", page_size=1)


def changes(number):
    """Tell what commit `number` does: pages to write (by index) with contents, and pages to drop."""
    chance = random.Random(number)
    written = {
        chance.randrange(12): chance.randbytes(chance.choice([1, 50, 5000, 40_000]))
        for _ in range(chance.randrange(1, 6))
    }
    return written, {chance.randrange(12)} - set(written)


def model_after(number):
    """Return what the pages hold after commit `number`, by index."""
    model = {}
    for commit in range(1, number + 1):
        written, dropped = changes(commit)
        model.update(written)
        for index in dropped:
            model.pop(index, None)
    return model


def decode(state):
    """Return the number of the commit, and which page has which index."""
    number, _, table = (state or b"0:").decode().partition(":")
    pairs = (pair.split("=") for pair in table.split(",") if pair)
    return int(number), {int(index): int(page) for index, page in pairs}


def encode(number, pages):
    return f"{number}:{','.join(f'{index}={page}' for index, page in pages.items())}".encode()


def step(volume, number, pages):
    written, dropped = changes(number)
    for index, content in written.items():
        if index in pages:
            volume.write(pages[index], content)
        else:
            pages[index] = volume.append(content)
        assert volume.peek(pages[index], 1, 9) == content[1:9]
    for index in dropped & set(pages):
        volume.delete(pages.pop(index))


def main(kind, folder):
    volume = open_volume(kind, folder)
    number, pages = decode(volume.state)
    while True:
        number += 1
        if number % 7 == 0:  # a transaction that is given up leaves no trace
            step(volume, number + 1000, dict(pages))
            volume.rollback()
        step(volume, number, pages)
        volume.commit(encode(number, pages), durable=number % 10 == 0)
        os.write(1, f"{number}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
