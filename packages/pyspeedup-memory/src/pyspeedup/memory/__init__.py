"""A dict and a list that live on disk, in pages: RAM stays bounded, and nothing is lost.

- `DiskDict`, `DiskList`: used as a dict and a list are, and opened by a name.
- `register_stable_hash`: makes keys of a class of yours as fast to reopen as built-in ones.
- `JsonSerializer`, `compressed`: other ways to write values than pickle, the default.
- `FileStore`, `SqliteStore`, `MemoryStore`: where pages are kept; `ShadowStore` keeps them in any
  mapping of str to bytes.

Importing this touches no disk and scans nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from pyspeedup.core import announce
from pyspeedup.memory._dict.hashing import register_stable_hash
from pyspeedup.memory.diskdict import DiskDict
from pyspeedup.memory.disklist import DiskList

if TYPE_CHECKING:
    from pyspeedup.memory.serializers import CompressedSerializer, JsonSerializer, compressed
    from pyspeedup.memory.stores.file import FileStore
    from pyspeedup.memory.stores.memory import MemoryStore
    from pyspeedup.memory.stores.shadow import ShadowStore
    from pyspeedup.memory.stores.sqlite import SqliteStore

    __version__: str

__all__ = [
    "CompressedSerializer",
    "DiskDict",
    "DiskList",
    "FileStore",
    "JsonSerializer",
    "MemoryStore",
    "ShadowStore",
    "SqliteStore",
    "__version__",
    "compressed",
    "register_stable_hash",
]

announce("pyspeedup.memory._plugin")


LATE = {
    "CompressedSerializer": "serializers",
    "FileStore": "stores.file",
    "JsonSerializer": "serializers",
    "MemoryStore": "stores.memory",
    "ShadowStore": "stores.shadow",
    "SqliteStore": "stores.sqlite",
    "compressed": "serializers",
}
"""Names that few programs ask for, and the modules that hold them."""


def __getattr__(name: str) -> Any:
    """Bring in what is asked for late: it is a third of what importing all would cost."""
    if name in LATE:
        return getattr(importlib.import_module(f"pyspeedup.memory.{LATE[name]}"), name)
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-memory")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
