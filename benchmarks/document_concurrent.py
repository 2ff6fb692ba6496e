"""Puts the figures of results/concurrent.json into the documentation: tables into a page, and two pictures."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from concurrency import page, results
from documenting import document, text_of
from memory.page import with_figures

if TYPE_CHECKING:
    from concurrency.results import Part

DOCS = Path(__file__).parent.parent / "docs"
PAGE = DOCS / "benchmarks-concurrent.md"
PICTURES = {
    "B": DOCS / "_static" / "benchmarks-buffer.svg",
    "C": DOCS / "_static" / "benchmarks-cache.svg",
}
"""By the letter that their workloads begin with."""


def main() -> int:
    """Write page and pictures, or say whether they are those of the figures."""
    parts = results.read_all()
    wanted = {PAGE: with_figures(text_of(PAGE), page.chapter(parts))}
    what = __doc__ or ""
    return document(what, wanted, PICTURES.values(), results.digest(), lambda: _draw(parts))


def _draw(parts: dict[str, Part]) -> None:
    import plot_concurrent  # which needs matplotlib

    measured = page.together(parts)
    for letter, path in PICTURES.items():
        shown = {name: table for name, table in measured.items() if name.startswith(letter)}
        plot_concurrent.draw(shown).savefig(
            path,
            bbox_inches="tight",
            metadata={"Date": None, "Description": results.digest()},
        )


if __name__ == "__main__":
    sys.exit(main())
