"""Page stores whose disk fails when it is told to."""

from __future__ import annotations

import errno
from contextlib import contextmanager


class Disk:
    """Counts calls, and makes one fail, or that one and all after it."""

    def __init__(self):
        self.calls = 0
        self.left = None
        self.lasting = False
        self.failed = 0

    def arm(self, calls, *, lasting):
        """Let so many calls pass, and the next one fail."""
        self.left, self.lasting, self.failed = calls, lasting, 0

    def disarm(self):
        self.left = None

    @contextmanager
    def failing(self, calls, *, lasting):
        self.arm(calls, lasting=lasting)
        try:
            yield
        finally:
            self.disarm()

    def call(self):
        """Count a call; `OSError` if it is one that fails."""
        self.calls += 1
        if self.left is None:
            return
        if self.left == 0:
            self.failed += 1
            if not self.lasting:
                self.left = None
            raise OSError(errno.ENOSPC, "No space left on device")
        self.left -= 1


class FaultyMapping(dict):
    """A mapping of bytes on such a disk."""

    def __init__(self):
        super().__init__()
        self.disk = Disk()

    def __setitem__(self, key, value):
        self.disk.call()
        super().__setitem__(key, value)


class FaultyStore:
    """A page store on such a disk; `kinds` are the methods that fail."""

    def __init__(self, store, kinds=("write", "commit")):
        self._store, self._kinds = store, kinds
        self.disk = Disk()

    def __getattr__(self, name):
        found = getattr(self._store, name)
        if name not in self._kinds:
            return found

        def checked(*arguments, **named):
            self.disk.call()
            return found(*arguments, **named)

        return checked


class UnreadablePages:
    """A page store that cannot read its `bad` pages, and counts how often that was tried; without ``peek``."""

    def __init__(self, store):
        self._store, self.bad, self.tried = store, set(), 0

    def __getattr__(self, name):
        if name == "peek":
            raise AttributeError
        return getattr(self._store, name)

    def read(self, page):
        if page in self.bad:
            self.tried += 1
            raise OSError(errno.EIO, "input/output error")
        return self._store.read(page)
