"""What the tests of the benchmarks share: running a script, and looking whether it sees old figures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def run(arguments, tmp_path):
    paths = filter(None, [str(BENCHMARKS), os.environ.get("PYTHONPATH")])
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": os.pathsep.join(paths)}
    return _run(arguments, environment, tmp_path)


def assert_old_figures_are_noticed(tmp_path, script, figures, change, documents):
    """Change the figures in a copy of the benchmarks, and have the script name all documents."""
    shutil.copytree(BENCHMARKS, tmp_path / "benchmarks")
    (tmp_path / "docs" / "_static").mkdir(parents=True)
    for name in documents:
        shutil.copy(BENCHMARKS.parent / "docs" / name, tmp_path / "docs" / name)
    path = tmp_path / "benchmarks" / "results" / figures
    found = json.loads(path.read_text(encoding="utf-8"))
    change(found)
    path.write_text(json.dumps(found), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "benchmarks")}
    result = _run([tmp_path / "benchmarks" / script, "--check"], environment, tmp_path)
    assert result.returncode == 1, result.stderr
    for name in documents:
        assert Path(name).name in result.stdout


def _run(arguments, environment, folder):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
