"""A dict and a list that live on disk, in pages."""

from __future__ import annotations

from pyspeedup.core import announce
from pyspeedup.memory.serializers import CompressedSerializer, JsonSerializer, compressed
from pyspeedup.memory.stores.file import FileStore
from pyspeedup.memory.stores.memory import MemoryStore
from pyspeedup.memory.stores.shadow import ShadowStore
from pyspeedup.memory.stores.sqlite import SqliteStore

__all__ = [
    "CompressedSerializer",
    "FileStore",
    "JsonSerializer",
    "MemoryStore",
    "ShadowStore",
    "SqliteStore",
    "compressed",
]

announce("pyspeedup.memory._plugin")
