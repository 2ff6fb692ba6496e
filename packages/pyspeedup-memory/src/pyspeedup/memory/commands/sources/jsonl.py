"""Reads JSON lines, those of ``pyspeedup export`` and anybody's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyspeedup.memory.commands.json_lines import kind_of, read_items
from pyspeedup.memory.commands.sources.source import Source, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["open_lines"]


@contextmanager
def open_lines(path: Path, wanted: Wanted) -> Iterator[Source]:
    """Open a file of JSON lines: a dict or a list as its first line says, else a list of the lines.

    `ValueError` where the first line is not JSON.
    """
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"null")
        try:
            kind = None if wanted.lines else kind_of(first)
        except ValueError as error:
            raise ValueError(f"{path}: its first line is not JSON: {error}") from error
        file.seek(0)
        items = read_items(file, kind, path, trust=wanted.trust)
        yield Source(kind or "list", items)
