"""Puts the figures of results/concurrent.json into the documentation: tables into a page, and two pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrency.subject import SUBJECT
from contests import documents

if TYPE_CHECKING:
    from contests.figures import Table

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = {
    "B": DOCS / "_static" / "benchmarks-buffer.svg",
    "C": DOCS / "_static" / "benchmarks-cache.svg",
}


def draw(measured: dict[str, Table]) -> Any:
    """Return a picture."""
    import plot_concurrent  # which needs matplotlib

    return plot_concurrent.PICTURE.draw(measured)


if __name__ == "__main__":
    page = DOCS / "benchmarks-concurrent.md"
    sys.exit(documents.main(SUBJECT, __doc__, page, PICTURES, draw))
