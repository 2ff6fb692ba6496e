"""What the README shows runs, and gives what it says."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from pyspeedup.memory import DiskDict

README = Path(__file__).parent.parent / "README.md"
SESSIONS = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(SESSIONS)))
def test_a_session_runs(number, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    names = {}
    for session in SESSIONS[:number]:
        exec(session, names)
    exec(SESSIONS[number], names)


def test_the_table_of_arguments_is_the_constructors():
    told = re.findall(r"^\| `(\w+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)
    taken = [name for name in inspect.signature(DiskDict).parameters if name != "self"]
    assert told == taken
