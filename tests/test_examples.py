"""Every example runs, prints what it should, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"
BROKEN = """
import quickstart
quickstart.STEPS["lines"] = (quickstart.lines_in_list, lambda paths, folder: ["wrong"])
quickstart.main()
"""


def run(script, *arguments, tmp_path, code=0, **environment):
    environment = {**os.environ, "TMPDIR": str(tmp_path), "HOME": str(tmp_path), **environment}
    result = subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == code, result.stderr
    return result


@pytest.mark.parametrize("seed", ["0", "2014"])
def test_the_quickstart_compares_all_four_and_leaves_nothing(tmp_path, seed):
    script = EXAMPLES / "quickstart.py"
    result = run(script, "--small", tmp_path=tmp_path, PYTHONHASHSEED=seed)
    lines = result.stdout.splitlines()
    for step, plain, ours in (
        ("index", "dict", "DiskDict"),
        ("lines", "list", "DiskList"),
        ("primes", "in turn", "Buffer"),
        ("syntax", "lru_cache", "Cache"),
    ):
        answer, row = (line for line in lines if line.startswith(step))
        assert answer.split(maxsplit=1)[1].startswith("[")
        assert plain in row
        assert ours in row
        assert ("the time" in row) != ("as fast" in row)
    assert result.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_the_quickstart_fails_where_the_two_ways_disagree(tmp_path):
    script = tmp_path / "broken.py"
    script.write_text(BROKEN)
    (tmp_path / "stores").mkdir()
    environment = {"TMPDIR": str(tmp_path / "stores"), "PYTHONPATH": str(EXAMPLES)}
    result = run(
        script, "--variant", "lines", "1", "--folder", "x", tmp_path=tmp_path, **environment
    )
    assert '"answer": ["wrong"]' in result.stdout
    planted = BROKEN.replace(
        "quickstart.main()", "quickstart.__file__ = __file__\nquickstart.main()"
    )
    script.write_text(planted)
    result = run(script, "--small", tmp_path=tmp_path, code=1, **environment)
    assert "lines: [" in result.stderr
    assert "but ['wrong']" in result.stderr
    assert list((tmp_path / "stores").iterdir()) == []


def test_bigger_than_memory_finds_everything_again(tmp_path):
    arguments = (
        EXAMPLES / "bigger_than_memory.py",
        "--items",
        3_000,
        "--folder",
        tmp_path / "demo",
    )
    total = sum(n * n for n in range(3_000))
    for there in ("0", "3,000"):
        assert run(*arguments, tmp_path=tmp_path).stdout.splitlines() == [
            f"{there} were there",
            "3,000 are there now",
            "the last is 2,999 squared: 8,994,001",
            f"{total:,} in sum",
        ]


@pytest.mark.parametrize("method", ["", "fork", "spawn", "forkserver"])
def test_buffered_primes_needs_no_main_guard(tmp_path, method):
    script = EXAMPLES / "buffered_primes.py"
    if method:
        chosen = f"import multiprocessing\nmultiprocessing.set_start_method({method!r})\n"
        source = script.read_text(encoding="utf-8").replace(
            "from itertools", f"{chosen}from itertools"
        )
        script = tmp_path / "chosen.py"
        script.write_text(source)
    assert run(script, tmp_path=tmp_path).stdout.splitlines() == [
        "the first: [3, 5, 11, 17, 29, 41, 59, 71]",
        "the 1000th: 79559",
        "1019 and 1021? True",
        "1021 and 1023? False",
        "the reciprocals of the first 500 pairs add up to 1.6483",
    ]


def test_parallel_recursion_counts_what_is_published(tmp_path):
    result = run(EXAMPLES / "parallel_recursion.py", "--size", 8, tmp_path=tmp_path)
    counted = [line.split(": ")[1] for line in result.stdout.splitlines() if "queens:" in line]
    assert list(map(int, counted)) == [1, 0, 0, 2, 10, 4, 40, 92]  # OEIS A000170


def test_every_example_is_run_here():
    text = Path(__file__).read_text(encoding="utf-8")
    for script in EXAMPLES.glob("*.py"):
        assert script.name == "measuring.py" or script.name in text


def test_the_requirements_name_every_package():
    text = (EXAMPLES / "requirements.txt").read_text(encoding="utf-8")
    root = EXAMPLES.parent
    named = {line.partition("[")[0] for line in text.splitlines() if line.startswith("./")}
    every = {f"./packages/{path.name}" for path in (root / "packages").glob("pyspeedup*")}
    assert named == every - {"./packages/pyspeedup-dask"}  # for those who have a cluster
