"""Ctrl-C before the n-th line that runs in chosen files, so that every place of an operation has its turn."""

from __future__ import annotations

import sys
from pathlib import Path

import pyspeedup.memory

OURS = Path(pyspeedup.memory.__file__).parent
STORING = ("_storage/volume.py", "_storage/header.py", "stores")
"""Not `_platform`: between opening a descriptor and the ``try`` that closes it, Python loses it."""


class Interrupter:
    """Raises `KeyboardInterrupt` once, before the n-th line that runs in `files`.

    These are prefixes of paths within the package: files and folders. What is not reached is `left`.
    """

    def __init__(self, at, *files):
        self.left = at
        self.traced = tuple(str(OURS / file) for file in files)

    def trace(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(self.traced):
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self.trace

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)
