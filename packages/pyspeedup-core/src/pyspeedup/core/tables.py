"""A plain-text table, for terminals."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["format_table"]


def format_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return `header` and `rows` as aligned columns, in O(cells). Empty cells read as ``-``.

    >>> print(format_table(["kind", "name"], [["engine", "serial"], ["serializer", ""]]))
    kind        name
    engine      serial
    serializer  -
    """
    texts = [list(header)] + [[str(cell) or "-" for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        for line in texts
    )
    return "\n".join(line.rstrip() for line in lines)
