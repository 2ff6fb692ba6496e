"""Every session of the README and of the docs runs, and prints what it says."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "packages").glob("*/README.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
STATEMENTS_OF_THE_README = 17

RUN_PAGE = """
import sys
from pathlib import Path
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

document = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()]).parse(Path(sys.argv[1]))
document.namespace["__name__"] = "__main__"
print(sum(example.evaluate() is None for example in document.examples()))
"""


def run_page(page, home):
    """Run the sessions of a page as a reader would: one after the other, in a process of their own."""
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN_PAGE, str(page)],
        cwd=home,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return int(result.stdout.split()[-1])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_sessions_of_a_page_run(page, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    count = run_page(page, tmp_path)
    if page == ROOT / "README.md":
        assert count == STATEMENTS_OF_THE_README


def test_a_session_that_prints_something_else_fails(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("```python\n>>> 1 + 1\n3\n\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="Expected"):
        run_page(page, tmp_path)
