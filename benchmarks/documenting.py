"""Puts figures into the documentation, or says whether those that stand there are still the measured ones."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

__all__ = ["document", "text_of"]


def document(
    what: str,
    pages: Mapping[Path, str],
    pictures: Iterable[Path],
    digest: str,
    draw: Callable[[], None],
) -> int:
    """Write `pages` and draw, or with ``--check`` say which are old; return the exit code.

    A picture names the `digest` of the figures that it was drawn from.
    """
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where they are old")
    if parser.parse_args().check:
        old = [path.name for path, wanted in pages.items() if text_of(path) != wanted]
        old += [path.name for path in pictures if digest not in text_of(path)]
        print("not of these figures:" if old else "all is of these figures", *old)
        return int(bool(old))
    for path, wanted in pages.items():
        path.write_text(wanted, encoding="utf-8")
    draw()
    return 0


def text_of(path: Path) -> str:
    """Return what stands in a file, nothing where there is none yet."""
    return path.read_text(encoding="utf-8") if path.exists() else ""
