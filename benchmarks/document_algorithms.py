"""Puts the figures of results/algorithms.json into the documentation: tables into a page, and two pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contests import documents
from number_theory.subject import SUBJECT

if TYPE_CHECKING:
    from contests.figures import Table

DOCS = Path(__file__).parent.parent / "docs"
PICTURES = {
    "N": DOCS / "_static" / "benchmarks-arithmetic.svg",
    "FDPRI": DOCS / "_static" / "benchmarks-algorithms.svg",
}


def draw(measured: dict[str, Table]) -> Any:
    """Return a picture."""
    import plot_algorithms  # which needs matplotlib

    return plot_algorithms.PICTURE.draw(measured)


if __name__ == "__main__":
    page = DOCS / "benchmarks-algorithms.md"
    sys.exit(documents.main(SUBJECT, __doc__, page, PICTURES, draw))
