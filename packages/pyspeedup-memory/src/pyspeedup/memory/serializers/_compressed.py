"""Compression of what any other serializer writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core import SerializationError
from pyspeedup.memory._arguments import positive_int
from pyspeedup.memory._storage.codecs import agrees, describe, make_serializer, runs_code
from pyspeedup.memory.serializers._compression import COMPRESSIONS

if TYPE_CHECKING:
    from pyspeedup.core import BytesLike, Serializer
    from pyspeedup.memory.serializers._compression import Compression

__all__ = ["DEFAULT_MAX_SIZE", "CompressedSerializer", "compressed"]

DEFAULT_MAX_SIZE = 256 * 2**20
"""Bytes of one value. A hostile one could otherwise fill RAM from a few kilobytes."""

SHORTEST = 64
"""Bytes below which compressing is not tried: it costs ten times what the rest does, and gains nothing."""

AS_IT_IS, COMPRESSED = b"\0", b"\1"


class CompressedSerializer:
    """Compresses what another serializer writes; made by `compressed`.

    A value that would not become shorter is kept as it is, for one byte. By zlib, it costs 0.1 us a
    byte or so when written and a fifth of that when read; zstd costs a tenth, lz4 less. It pays for large
    values.

    >>> CompressedSerializer(make_serializer("json"), "zlib").options()
    {'inner': {'name': 'json', 'options': {}}, 'codec': 'zlib', 'level': 1}
    """

    name = "compressed"

    def __init__(
        self,
        inner: Serializer,
        codec: str = "zlib",
        *,
        level: int | None = None,
        max_size: int = DEFAULT_MAX_SIZE,
    ) -> None:
        """Wrap `inner`; raises what `compressed` does."""
        if codec not in COMPRESSIONS:
            raise ValueError(f"codec must be one of {sorted(COMPRESSIONS)}, not {codec!r}")
        levels = COMPRESSIONS[codec].levels
        if level is not None and (type(level) is not int or level not in levels):
            raise ValueError(f"level of {codec} must be {levels[0]} to {levels[-1]}, not {level!r}")
        self.inner = inner
        self.codec = codec
        self.max_size = positive_int("max_size", max_size)
        self.runs_code = runs_code(inner)
        self._compression: Compression = COMPRESSIONS[codec](level)
        failures = (MemoryError, OverflowError, ValueError)
        self._errors: tuple[type[Exception], ...] = (*self._compression.errors, *failures)

    def dumps(self, obj: Any, /) -> bytes:
        """Return `obj` written by the inner serializer and compressed, in O(size).

        `SerializationError` for what the inner one refuses, and for more than `max_size` bytes.

        >>> len(compressed("json").dumps("a" * 1000)) < 50
        True
        """
        plain = self.inner.dumps(obj)
        if len(plain) > self.max_size:
            raise SerializationError(
                f"it takes {len(plain)} bytes, and max_size of compressed is {self.max_size}: "
                "pass a larger one, at each opening"
            )
        if len(plain) >= SHORTEST:
            try:
                packed = self._compression.compress(plain)
            except self._errors as error:
                raise SerializationError(
                    f"{self.codec} cannot compress {len(plain)} bytes: {error}"
                ) from error
            if len(packed) < len(plain):
                return COMPRESSED + packed
        return AS_IT_IS + plain

    def loads(self, data: BytesLike, /) -> Any:
        """Return the value that `data` was made from, in O(size).

        `SerializationError` for damage, and for what would decompress to more than `max_size` bytes.

        >>> compressed("json").loads(compressed("json").dumps([1]))
        [1]
        """
        kind, body = bytes(data[:1]), memoryview(data)[1:]
        if kind == AS_IT_IS:
            return self.inner.loads(body)
        if kind != COMPRESSED:
            raise SerializationError(f"{len(data)} bytes are not what compressed writes")
        try:
            plain = self._compression.decompress(body, self.max_size)
        except SerializationError:
            raise
        except self._errors as error:
            raise SerializationError(
                f"{len(data)} bytes are not {self.codec} data: {error}"
            ) from error
        return self.inner.loads(plain)

    def options(self) -> dict[str, Any]:
        """Return the keywords that make an equal one by `compressed`.

        `max_size` is not among them: it bounds what a store may do to its reader, so a store has no say.

        >>> compressed("pickle").options()["codec"]
        'zlib'
        """
        return {
            "inner": describe(self.inner),
            "codec": self.codec,
            "level": self._compression.level,
        }

    def reads(self, options: dict[str, Any]) -> bool:
        """Tell whether it reads what one with these recorded `options` wrote: any level will do.

        >>> slow = compressed("json", level=9)
        >>> slow.reads(compressed("json", level=1).options()), slow.reads(compressed().options())
        (True, False)
        """
        return options.get("codec") == self.codec and agrees(self.inner, options.get("inner"))


def compressed(
    inner: str | Serializer | dict[str, Any] = "pickle",
    codec: str = "zlib",
    *,
    level: int | None = None,
    max_size: int = DEFAULT_MAX_SIZE,
) -> CompressedSerializer:
    """Return a serializer that compresses what `inner`, a registered name or an object, writes.

    `codec` is ``"zlib"``, ``"zstd"`` or ``"lz4"``; the last two come with the extra of their name. `level`
    is 1 to 9, -7 to 22, or 0 to 12; more is smaller and slower to write, and None is the codec's usual
    one. A value of more than `max_size` bytes is refused, when written and when read.

    Raises `UnknownNameError` for an unknown name, `ValueError` naming an argument that is none of
    these, and `ModuleNotFoundError` with the command that installs a missing extra.

    >>> squeezed = compressed("json", level=9)
    >>> squeezed.loads(squeezed.dumps({"a": 1}))
    {'a': 1}
    """
    return CompressedSerializer(make_serializer(inner), codec, level=level, max_size=max_size)
