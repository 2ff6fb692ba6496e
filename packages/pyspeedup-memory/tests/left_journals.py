"""What a kill would leave of a store with a journal."""

from __future__ import annotations

import math
import shutil

from journal_writer import STRUCTURES
from pyspeedup.memory._storage.marker import JOURNAL_FILE

OPTIONS = {"size_limit": 4, "max_pages": 2, "journal": True, "sync_every": math.inf}


class Crash:
    """Looks at what a kill would leave now: a copy of the files."""

    def __init__(self, folder):
        self.folder = folder / "stores"
        self.copy = folder / "left behind"

    def open(self, kind, **options):
        return STRUCTURES[kind](kind, file_location=self.folder, **OPTIONS | options)

    def strike(self):
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.folder, self.copy)

    def strike_again(self, path, journal):
        """Leave the same once more, with another journal."""
        self.strike_from(path.parent.parent.with_name("kept"))
        path.write_bytes(journal)

    def strike_from(self, kept):
        if not kept.exists():
            shutil.copytree(self.copy, kept)
        shutil.rmtree(self.copy)
        shutil.copytree(kept, self.copy)

    def journal(self, kind):
        return self.copy / f"{kind}.pyspeedup" / JOURNAL_FILE

    def remove(self, name):
        """Remove a store from the copy."""
        shutil.rmtree(self.copy / f"{name}.pyspeedup")

    def found(self, kind, **options):
        """Return what the next opening finds in the copy."""
        with STRUCTURES[kind](kind, file_location=self.copy, **options) as structure:
            found = structure.copy()
        assert not self.journal(kind).exists()
        return found

    def left(self, kind):
        self.strike()
        return self.found(kind)


def left_behind(crash):
    """Leave a list of 0, 1, 2 of which only the journal knows, and return the journal's path."""
    with crash.open("list") as numbers:
        for number in range(3):
            numbers.append(number)
        crash.strike()
    return crash.journal("list")
