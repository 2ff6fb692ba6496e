"""Puts the figures of results/concurrent.json into the documentation: tables into a page, and two pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from concurrency import page, results
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
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where they are old")
    arguments = parser.parse_args()
    parts = results.read_all()
    if arguments.check:
        old = [PAGE.name] if _text(PAGE) != _wanted(parts) else []
        old += [path.name for path in PICTURES.values() if results.digest() not in _text(path)]
        print("not of these figures:" if old else "all is of these figures", *old)
        return int(bool(old))
    PAGE.write_text(_wanted(parts), encoding="utf-8")
    _draw(parts)
    return 0


def _wanted(parts: dict[str, Part]) -> str:
    return with_figures(_text(PAGE), page.chapter(parts))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


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
