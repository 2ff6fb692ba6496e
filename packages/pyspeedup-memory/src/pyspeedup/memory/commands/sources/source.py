"""What a format has to offer to be imported, and the reading of somebody's pickles."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pyspeedup.core import SerializationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Source", "Wanted", "unpickled"]


class Wanted(NamedTuple):
    """What was asked for: a table by name, bare lines, and whether pickles may be read."""

    table: str | None = None
    lines: bool = False
    trust: bool = False


@dataclass
class Source:
    """An opened source: pairs for a dict or values for a list, in order, and how many if that is known.

    `left_out` counts, once `items` are through, those that were passed over as expired.
    """

    kind: str
    items: Iterator[Any]
    total: int | None = None
    left_out: int = 0


def unpickled(data: bytes, where: str) -> Any:
    r"""Return the value of a pickle, running whatever code it names; `SerializationError` says `where`.

    >>> unpickled(b"I1\n.", "key 'a'")
    1
    """
    try:
        return pickle.loads(data)
    except Exception as error:  # a class may be gone, and its methods may raise anything
        raise SerializationError(
            f"{where}: it cannot be unpickled: {type(error).__name__}: {error}"
        ) from error
