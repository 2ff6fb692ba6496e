"""What the memory package offers, through the same door as anyone's."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from pyspeedup.core import hookimpl
from pyspeedup.memory.serializers import (
    JsonSerializer,
    MsgpackSerializer,
    SafePickleSerializer,
    SignedSerializer,
    compressed,
)
from pyspeedup.memory.stores.file import FileStore
from pyspeedup.memory.stores.fsspec import fsspec_folder
from pyspeedup.memory.stores.lmdb import LmdbStore
from pyspeedup.memory.stores.memory import memory
from pyspeedup.memory.stores.sqlite import SqliteStore

if TYPE_CHECKING:
    from pyspeedup.core import PageStoreFactory, Register, SerializerFactory


@hookimpl
def pyspeedup_register_serializers(register: Register[SerializerFactory]) -> None:
    """Offer some that run no code, and two that go around any other."""
    register("safe-pickle", SafePickleSerializer)
    register("json", JsonSerializer)
    register("compressed", compressed)
    register("signed", SignedSerializer)
    if find_spec("msgspec"):
        register("msgpack", MsgpackSerializer)


@hookimpl
def pyspeedup_register_page_stores(register: Register[PageStoreFactory]) -> None:
    """Offer the default, databases, RAM, and what installed extras reach."""
    register("file", FileStore)
    register("sqlite", SqliteStore)
    register("memory", memory)
    if find_spec("lmdb"):
        register("lmdb", LmdbStore)
    if find_spec("fsspec"):
        register("fsspec", fsspec_folder)
