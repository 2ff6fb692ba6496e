"""Puts the figures of results/ into the documentation: tables into two pages, and a picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where they are old")
    arguments = parser.parse_args()
    parts = results.read_all()
    if arguments.check:
        old = [path.name for path in PAGES if _text(path) != _wanted(path, parts)]
        old += [] if results.digest() in _text(PICTURE) else [PICTURE.name]
        print("not of these figures:" if old else "all is of these figures", *old)
        return int(bool(old))
    for path in PAGES:
        path.write_text(_wanted(path, parts), encoding="utf-8")
    _draw(parts)
    return 0


def _wanted(path: Path, parts: dict[str, Part]) -> str:
    return page.with_figures(_text(path), PAGES[path](parts))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _draw(parts: dict[str, Part]) -> None:
    import plot_memory  # which needs matplotlib

    plot_memory.draw(parts).savefig(
        PICTURE,
        bbox_inches="tight",
        metadata={"Date": None, "Description": results.digest()},
    )


if __name__ == "__main__":
    sys.exit(main())
