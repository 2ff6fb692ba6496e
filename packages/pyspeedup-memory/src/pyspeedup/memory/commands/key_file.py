"""The key of a signed store, read from a file that nobody else can read."""

from __future__ import annotations

import os
import stat
from pathlib import Path

__all__ = ["read_key"]

OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_key(path: str) -> bytes:
    """Return all bytes of the file at `path`, just as they are, in O(bytes).

    `ValueError` where it is no file, or where others than its owner, who is this user or root, could read
    or change it: a key that is known to others signs nothing. A system without user ids (Windows) is taken
    at its word. `OSError` where it cannot be read.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     file.write(b"0123456789abcdef")
    ...     file.flush()
    ...     read_key(file.name)
    16
    b'0123456789abcdef'
    """
    if not Path(path).is_file():  # first: opening a pipe would wait for whoever writes to it
        reason = "it is not a file" if Path(path).exists() else "there is no such file"
        raise ValueError(f"--key-file {path}: {reason}")
    with Path(path).open("rb") as file:
        _require_private(path, os.fstat(file.fileno()))
        return file.read()


def _require_private(path: str, status: os.stat_result) -> None:
    if not hasattr(os, "geteuid"):
        return
    if status.st_mode & OTHERS:
        raise ValueError(
            f"--key-file {path}: others can read or change it (mode "
            f"{stat.S_IMODE(status.st_mode):03o}); chmod 600 makes it private"
        )
    if status.st_uid not in {0, os.geteuid()}:
        raise ValueError(
            f"--key-file {path}: it belongs to user {status.st_uid}, and you are {os.geteuid()}; "
            "take a copy that is yours"
        )
