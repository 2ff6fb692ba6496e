"""Puts the committed figures of a subject into its page, and draws its pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from contests import page, results
from documenting import document, text_of
from memory.page import with_figures

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from contests.figures import Table
    from contests.subject import Subject

    Draw = Callable[[dict[str, Table]], Any]


def main(
    subject: Subject, what: str | None, path: Path, pictures: Mapping[str, Path], draw: Draw
) -> int:
    """Write page and pictures, or say whether they are those of the figures.

    A picture shows the workloads whose names begin with one of the letters that it is kept by.
    """
    parts = results.read_all(subject.results)
    digest = results.digest(subject.results)
    wanted = {path: with_figures(text_of(path), page.chapter(subject, parts))}
    measured = page.together(subject, parts)
    return document(
        what or "",
        wanted,
        pictures.values(),
        digest,
        lambda: _draw(measured, pictures, digest, draw),
    )


def _draw(
    measured: dict[str, Table], pictures: Mapping[str, Path], digest: str, draw: Draw
) -> None:
    for letters, path in pictures.items():
        shown = {name: table for name, table in measured.items() if name[0] in letters}
        if shown:
            about = {"Date": None, "Description": digest}
            draw(shown).savefig(path, bbox_inches="tight", metadata=about)
