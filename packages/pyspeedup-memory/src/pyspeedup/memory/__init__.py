"""A dict and a list that live on disk, in pages: RAM stays bounded, and nothing is lost.

- `DiskDict`, `DiskList`: used as a dict and a list are, and opened by a name.
- `register_stable_hash`: makes keys of a class of yours as fast to reopen as built-in ones.
- `SafePickleSerializer`, `JsonSerializer`, `MsgpackSerializer`, `compressed`, `signed`: other ways to
  write values than pickle, the default.
- `FileStore`, `SqliteStore`, `LmdbStore`, `MemoryStore`: where pages are kept; `ShadowStore` keeps
  them in any mapping of str to bytes, and `FsspecStore` wherever fsspec reaches.

Importing this touches no disk and scans nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pyspeedup.core import announce

if TYPE_CHECKING:
    from pyspeedup.memory._dict.hashing import register_stable_hash
    from pyspeedup.memory.diskdict import DiskDict
    from pyspeedup.memory.disklist import DiskList
    from pyspeedup.memory.serializers import (
        CompressedSerializer,
        JsonSerializer,
        MsgpackSerializer,
        SafePickleSerializer,
        SignedSerializer,
        compressed,
        signed,
    )
    from pyspeedup.memory.stores.file import FileStore
    from pyspeedup.memory.stores.fsspec import FsspecStore
    from pyspeedup.memory.stores.lmdb import LmdbStore
    from pyspeedup.memory.stores.memory import MemoryStore
    from pyspeedup.memory.stores.shadow import ShadowStore
    from pyspeedup.memory.stores.sqlite import SqliteStore

    __version__: str

__all__ = [
    "CompressedSerializer",
    "DiskDict",
    "DiskList",
    "FileStore",
    "FsspecStore",
    "JsonSerializer",
    "LmdbStore",
    "MemoryStore",
    "MsgpackSerializer",
    "SafePickleSerializer",
    "ShadowStore",
    "SignedSerializer",
    "SqliteStore",
    "__version__",
    "compressed",
    "register_stable_hash",
    "signed",
]

announce("pyspeedup.memory._plugin")


LATE = {
    "CompressedSerializer": "serializers",
    "DiskDict": "diskdict",
    "DiskList": "disklist",
    "FileStore": "stores.file",
    "FsspecStore": "stores.fsspec",
    "JsonSerializer": "serializers",
    "LmdbStore": "stores.lmdb",
    "MemoryStore": "stores.memory",
    "MsgpackSerializer": "serializers",
    "SafePickleSerializer": "serializers",
    "ShadowStore": "stores.shadow",
    "SignedSerializer": "serializers",
    "SqliteStore": "stores.sqlite",
    "compressed": "serializers",
    "register_stable_hash": "_dict.hashing",
    "signed": "serializers",
}
"""Every name, and the module that holds it: what a program does not name, it does not wait for."""


def __getattr__(name: str) -> Any:
    """Bring a name in when it is asked for."""
    if name in LATE:
        return getattr(importlib.import_module(f"pyspeedup.memory.{LATE[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-memory")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Show the names that are not there yet, too."""
    return __all__
