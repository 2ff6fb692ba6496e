"""Every session of the README and of the docs runs, and prints what it says."""

import multiprocessing
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "packages").glob("*/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_sessions_run(page, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    document = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()]).parse(page)
    document.namespace["__name__"] = "__main__"
    for example in document.examples():
        example.evaluate()
    for structure in document.namespace.values():
        if callable(getattr(structure, "close", None)):
            structure.close()
    if page.parent == ROOT:
        assert len(list(document.examples())) >= 5
    assert not [p for p in multiprocessing.active_children() if not p.name.startswith("pyspeedup")]
