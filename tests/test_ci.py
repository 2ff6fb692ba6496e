"""CI runs the README's test command, and the README's commands stand on one line each."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent


def commands():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^python3 -m venv .*$", readme, re.MULTILINE)


def test_the_readme_has_one_command_for_each_purpose():
    quickstart, tests = commands()
    assert "examples/quickstart.py" in quickstart
    assert quickstart.endswith("examples/quickstart.py")
    assert tests.endswith("nox")


def test_ci_reads_its_command_from_the_readme():
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")
    assert "README.md" in script
    assert os.access(ROOT / ".ci/run", os.X_OK)
