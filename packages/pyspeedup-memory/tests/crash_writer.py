"""A writer to be killed: it changes a DiskDict and a DiskList step by step, and keeps a journal."""

from __future__ import annotations

import argparse
import os
import random
from functools import partial
from pathlib import Path

import crash_journal
from crash_steps import states, steps
from pyspeedup.memory import DiskDict, DiskList
from storage_writer import Folder
from users_keys import Text

__all__ = [
    "STEPS_A_SYNC",
    "STRUCTURES",
    "Text",
    "open_again",
    "open_one",
    "states",
    "steps",
    "take",
]

STRUCTURES = {"dict": DiskDict, "list": DiskList}
STEPS_A_SYNC = 17
INFINITY = float("inf")


def open_one(kind, folder, page_store, chance, scale=1):
    """Open a structure with few items a page and few pages in RAM, and commits now and then."""
    return open_again(
        kind,
        folder,
        page_store,
        size_limit=chance.choice([2, 4, 8]) * (1 if scale == 1 else 32),
        max_pages=chance.choice([1, 2, 3]),
        ram_limit=chance.choice([30_000 * min(scale, 10), 1 << 24]),
        sync_every=chance.choice([0, INFINITY, INFINITY]),
    )


def open_again(kind, folder, page_store, **options):
    """Open a structure in `folder`, where `page_store` is a name, or "mapping": a file a page."""
    if page_store == "mapping":
        pages = Path(folder, f"{kind} pages")
        pages.mkdir(exist_ok=True)
        page_store = Folder(pages)
    return STRUCTURES[kind](kind, file_location=folder, page_store=page_store, **options)


def take(step, structure, held, reopen):
    """Take a step, and return the structure, which is another where the step was to reopen it."""
    if step.whole is not None:
        step.whole(structure, held)
        return structure
    step.parts[0](None, held)
    structure.close()
    return reopen()


class Writer:
    """Takes steps for ever; tells "begin", "sync" after each sync, "commit" as the chosen one begins."""

    def __init__(self, arguments):
        self.chance = random.Random(arguments.seed)
        self.folder, self.page_store = arguments.folder, arguments.page_store
        self.scale = arguments.scale
        self.commits_left = arguments.tell_commit
        self.counters = crash_journal.begin_journal(arguments.journal)
        crash_journal.watch(self.counters, self.count_commit)
        os.write(1, b"begin\n")
        self.opened = {kind: self.open(kind) for kind in STRUCTURES}
        self.held = {kind: {} for kind in STRUCTURES}

    def count_commit(self):
        self.commits_left -= 1
        if self.commits_left == 0:
            os.write(1, b"commit\n")

    def open(self, kind):
        return open_one(kind, self.folder, self.page_store, self.chance, self.scale)

    def write(self, seed):
        stories = [steps(kind, seed, self.scale) for kind in STRUCTURES]
        for number, both in enumerate(zip(*stories, strict=True), 1):
            for kind, step in zip(STRUCTURES, both, strict=True):
                with self.counters[kind].within("steps"):
                    self.opened[kind] = take(
                        step, self.opened[kind], self.held[kind], partial(self.open, kind)
                    )
            if number % STEPS_A_SYNC == 0:
                self.sync(number)

    def sync(self, number):
        for kind, structure in self.opened.items():
            structure.sync(durable=self.chance.random() < 0.02)
            self.counters[kind]["steps_synced"] = number
        os.write(1, b"sync\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("page_store")
    parser.add_argument("journal", type=Path)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--scale", type=int)
    parser.add_argument("--tell-commit", type=int)
    arguments = parser.parse_args()
    Writer(arguments).write(arguments.seed)


if __name__ == "__main__":
    main()
