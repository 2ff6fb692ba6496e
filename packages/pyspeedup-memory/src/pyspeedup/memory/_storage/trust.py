"""Whether somebody else could have written what would be unpickled."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from pyspeedup.core import UntrustedStoreError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["require_trusted"]

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def require_trusted(folder: Path) -> None:
    """Raise `UntrustedStoreError` unless only this user could write the folder and its files.

    In O(files). A system without user ids (Windows) is taken at its word.
    """
    if not hasattr(os, "geteuid"):
        return
    for path in (folder, *sorted(folder.iterdir())):
        status = path.stat()
        if status.st_uid != os.geteuid():
            _refuse(path, f"belongs to user {status.st_uid}, and you are {os.geteuid()}")
        if status.st_mode & OTHERS_WRITE:
            _refuse(path, f"can be written by others (mode {stat.S_IMODE(status.st_mode):03o})")


def _refuse(path: Path, reason: str) -> None:
    raise UntrustedStoreError(
        f"{path} {reason}; reading its values would run code that they name. "
        "Pass trust=True if you know who wrote it"
    )
