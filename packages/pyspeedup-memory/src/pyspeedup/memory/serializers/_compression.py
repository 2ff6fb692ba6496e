"""The compressions that there are: each compresses bytes, and undoes it up to a number of bytes."""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from pyspeedup.core import SerializationError
from pyspeedup.memory.serializers._extras import import_extra

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike

__all__ = ["COMPRESSIONS", "Compression"]


class Compression(Protocol):
    """One way to compress, at one level."""

    level: int
    errors: tuple[type[Exception], ...]
    """What `decompress` raises for damage, beside `SerializationError`."""

    def compress(self, data: bytes, /) -> bytes:
        """Return `data` compressed."""
        ...

    def decompress(self, data: BytesLike, max_size: int, /) -> bytes:
        """Return what was compressed; `SerializationError` once it is seen to exceed `max_size`."""
        ...


class Zlib:
    """The standard library's: everywhere, and slow."""

    levels = range(1, 10)
    errors: tuple[type[Exception], ...] = (zlib.error,)

    def __init__(self, level: int | None) -> None:
        """Use `level`, or the fastest."""
        self.level = 1 if level is None else level

    def compress(self, data: bytes, /) -> bytes:
        """Return `data` compressed."""
        return zlib.compress(data, self.level)

    def decompress(self, data: BytesLike, max_size: int, /) -> bytes:
        """Return what was compressed, making at most one byte more than `max_size`."""
        stream = zlib.decompressobj()
        plain = stream.decompress(data, max_size + 1)
        if len(plain) > max_size:
            raise _too_long(max_size)
        if not stream.eof or stream.unused_data:
            raise SerializationError("the compressed data is cut short, or goes on after its end")
        return plain


class Zstd(threading.local):
    """Zstandard: the best ratio for the time, and fast to read.

    Its contexts are made once a thread: they cost ten times as much as a short value, and serve one
    thread at a time.
    """

    levels = range(-7, 23)

    def __init__(self, level: int | None) -> None:
        """Use `level`, or 3, its own default; `ModuleNotFoundError` without zstandard."""
        library = import_extra("zstandard", "zstd", "compressed(..., 'zstd')")
        self.level = 3 if level is None else level
        self.errors: tuple[type[Exception], ...] = (library.ZstdError,)
        self._parameters: Any = library.get_frame_parameters
        self._compressor: Any = library.ZstdCompressor(level=self.level)
        self._decompressor: Any = library.ZstdDecompressor()

    def compress(self, data: bytes, /) -> bytes:
        """Return `data` compressed."""
        compressed: bytes = self._compressor.compress(data)
        return compressed

    def decompress(self, data: BytesLike, max_size: int, /) -> bytes:
        """Return what was compressed; the length that the data begins with is believed up to `max_size`."""
        if self._parameters(data).content_size > max_size:  # unknown is the largest number
            raise _too_long(max_size)
        plain: bytes = self._decompressor.decompress(data)
        return plain


class Lz4:
    """LZ4: the fastest, with the smallest gain."""

    levels = range(13)
    SIZE_BYTES = 4

    def __init__(self, level: int | None) -> None:
        """Use `level`, or 0, the fast mode; `ModuleNotFoundError` without lz4."""
        self._block = import_extra("lz4.block", "lz4", "compressed(..., 'lz4')")
        self.level = 0 if level is None else level
        self.errors: tuple[type[Exception], ...] = (self._block.LZ4BlockError,)

    def compress(self, data: bytes, /) -> bytes:
        """Return the length of `data` and its one compressed block."""
        mode = {"mode": "high_compression", "compression": self.level} if self.level else {}
        compressed: bytes = self._block.compress(data, **mode)
        return compressed

    def decompress(self, data: BytesLike, max_size: int, /) -> bytes:
        """Return what was compressed; the length that the data begins with is believed up to `max_size`."""
        if int.from_bytes(data[: self.SIZE_BYTES], "little") > max_size:
            raise _too_long(max_size)
        plain: bytes = self._block.decompress(data)
        return plain


COMPRESSIONS: dict[str, type[Zlib | Zstd | Lz4]] = {"zlib": Zlib, "zstd": Zstd, "lz4": Lz4}
"""Every name that `compressed` takes for `codec`."""


def _too_long(max_size: int) -> SerializationError:
    return SerializationError(
        f"decompressed it would take more than {max_size} bytes: open the store with "
        "serializer=compressed(..., max_size=...) if you trust who wrote it"
    )
