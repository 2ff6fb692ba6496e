"""Puts the figures of results/ into the documentation: tables into two pages, and a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from documenting import document, text_of
from memory import page, results

if TYPE_CHECKING:
    from memory.results import Part

DOCS = Path(__file__).parent.parent / "docs"
PAGES = {
    DOCS / "benchmarks-memory.md": page.chapter,
    DOCS / "when-not-to.md": page.costs_tables,
}
PICTURE = DOCS / "_static" / "memory.svg"


def main() -> int:
    """Write pages and picture, or say whether they are those of the figures."""
    parts = results.read_all()
    wanted = {
        path: page.with_figures(text_of(path), figures(parts)) for path, figures in PAGES.items()
    }
    return document(__doc__ or "", wanted, [PICTURE], results.digest(), lambda: _draw(parts))


def _draw(parts: dict[str, Part]) -> None:
    import plot_memory  # which needs matplotlib

    plot_memory.draw(parts).savefig(
        PICTURE,
        bbox_inches="tight",
        metadata={"Date": None, "Description": results.digest()},
    )


if __name__ == "__main__":
    sys.exit(main())
