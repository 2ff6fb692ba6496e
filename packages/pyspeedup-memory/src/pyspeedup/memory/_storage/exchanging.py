"""The one call that exchanges two folders in a single step, where the system has it."""

from __future__ import annotations

import errno
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["exchange_folders"]

RENAME_EXCHANGE = 2
"""The same number stands for it on Linux, and for ``RENAME_SWAP`` on macOS."""
AT_FDCWD = -100
CANNOT = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP}


def exchange_folders(one: Path, other: Path) -> bool:
    """Let each path lead to the folder of the other, atomically; False where that is not possible.

    Neither system nor file system need know how: Windows and NFS do not. Other reasons are `OSError`.
    """
    call = _exchanging_call()
    if call is None:
        return False
    if call(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    number = _error_number()
    if number in CANNOT:
        return False
    raise OSError(number, os.strerror(number), str(one), None, str(other))


def _exchanging_call() -> Any:
    """Return a function of two paths of bytes to 0 or -1, or None."""
    import ctypes  # 5 ms, and only what replaces a store needs it

    if sys.platform == "win32":
        return None
    library = ctypes.CDLL(None, use_errno=True)
    if hasattr(library, "renameat2"):
        return lambda one, other: library.renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE)
    if hasattr(library, "renamex_np"):
        return lambda one, other: library.renamex_np(one, other, RENAME_EXCHANGE)
    return None


def _error_number() -> int:
    import ctypes  # as above

    return ctypes.get_errno()
