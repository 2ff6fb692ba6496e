"""The benchmarks measure work that was really done, and say so where it was not."""

import json
import os
from pathlib import Path

import pytest
from benchmark_runs import BENCHMARKS, assert_old_figures_are_noticed, run

LIAR = """
import sys, tempfile
from memory import child, dict_peers
from memory.sessions import Session, Task

class Lying(dict):
    {lie}

class Liar(dict_peers.PlainDict):
    def __init__(self, folder):
        self.content = Lying()
    def close(self):
        pass

dict_peers.PEERS["liar"] = Liar
with tempfile.TemporaryDirectory() as folder:
    outcome = child.run(Task(Session("all", {workloads}), "dict", "liar", folder, 200, 1.0))
print(*outcome.failures)
"""
SLOW_DICT = """
import sys
from memory import dict_peers
import bench_memory

dict_peers.PlainDict.slow = True
sys.argv += {arguments}
sys.exit(bench_memory.main())
"""
WORKLOADS = ["insert", "hot_get", "cold_get", "items", "absent", "overwrite", "delete_half"]


def test_figures_of_all_who_take_part_are_printed_and_kept(tmp_path):
    path = tmp_path / "figures.json"
    only = "insert,cold_get,open,append,slice100"
    asked = ["-n", 300, "--rounds", 1, "--only", only, "--bars", "--json", path]
    script = BENCHMARKS / "bench_memory.py"
    result = run([script, *asked, "--peers", "dict,list,nothing,pyspeedup"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "longest" not in result.stdout
    assert "bytes an item" in result.stdout
    assert "(floor)" in result.stdout
    found = json.loads(path.read_text(encoding="utf-8"))["measured"]
    in_dict, in_list = found["dict"][0]["results"], found["list"][0]["results"]
    assert list(in_dict) == ["dict", "nothing", "pyspeedup"]
    assert list(in_list) == ["list", "nothing", "pyspeedup"]
    for figures in (in_dict["dict"], in_dict["pyspeedup"]):
        assert figures["done"] == {"insert": [300], "cold_get": [300], "open": [1], "close": [1]}
        assert figures["failures"] == {}
    for figures in (in_list["list"], in_list["pyspeedup"]):
        assert figures["done"]["append"] == [300]
        assert figures["done"]["slice100"][0] > 0
    assert list(tmp_path.glob("*bench*/*")) == []


@pytest.mark.parametrize(
    ("lie", "caught"),
    [
        ("pass", []),
        ("def __setitem__(self, key, value): pass", WORKLOADS),
        ("def __getitem__(self, key): return (0, 1, 'v0')", WORKLOADS),
        ("def __contains__(self, key): return True", ["absent", "delete_half"]),
        ("def __delitem__(self, key): pass", ["delete_half"]),
        ("def items(self): return list(super().items())[:9]", ["items"]),
        ("def items(self): return list(super().items())[::-1]", ["items"]),
        (
            "def __setitem__(self, key, value): self.setdefault(key, value)",
            ["overwrite"],
        ),
    ],
)
def test_a_peer_that_does_not_do_the_work_is_found_out(tmp_path, lie, caught):
    result = run(["-c", LIAR.format(lie=lie, workloads=WORKLOADS)], tmp_path)
    assert result.returncode == 0, result.stderr
    found = result.stdout.split()
    assert set(found) <= set(caught)
    assert bool(found) == bool(caught)


def test_a_workload_brings_what_it_needs(tmp_path):
    script = BENCHMARKS / "bench_memory.py"
    result = run(
        [script, "dict", "-n", 50, "--rounds", 1, "--only", "absent", "--peers", "dict"], tmp_path
    )
    assert result.returncode == 0, result.stderr
    assert "absent" in result.stdout


def test_an_unknown_peer_is_named(tmp_path):
    result = run([BENCHMARKS / "bench_memory.py", "--peers", "redis"], tmp_path)
    assert result.returncode != 0
    assert "'redis'" in result.stderr
    assert "lmdb" in result.stderr


def test_slow_peers_take_part_once_where_that_is_asked(tmp_path):
    path = str(tmp_path / "figures.json")
    arguments = ["dict", "-n", "50", "--rounds", "2", "--only", "insert", "--slow-once"]
    arguments += ["--peers", "dict,nothing", "--json", path]
    result = run(["-c", SLOW_DICT.format(arguments=arguments)], tmp_path)
    assert result.returncode == 0, result.stderr
    found = json.loads(Path(path).read_text(encoding="utf-8"))["measured"]["dict"][0]["results"]
    assert found["dict"]["done"]["insert"] == [50]
    assert found["nothing"]["done"]["insert"] == [50, 50]


def test_the_documentation_shows_the_committed_figures(tmp_path):
    result = run([BENCHMARKS / "document_memory.py", "--check"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_tables_and_picture_of_other_figures_are_noticed(tmp_path):
    def change(found):
        seconds = found["measured"]["dict"][0]["results"]["pyspeedup"]["seconds"]
        seconds["insert"] = [9.0] * len(seconds["insert"])

    documents = ("benchmarks-memory.md", "when-not-to.md", "_static/memory.svg")
    assert_old_figures_are_noticed(
        tmp_path, "document_memory.py", "memory-200k.json", change, documents
    )


def test_committed_figures_name_no_machine_and_no_path():
    for path in (BENCHMARKS / "results").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        assert os.sep + "tmp" not in text
        assert os.sep + "home" not in text
        assert os.sep + "root" not in text


def test_an_unknown_part_is_named(tmp_path):
    result = run([BENCHMARKS / "measure_memory.py", "5k"], tmp_path)
    assert result.returncode != 0
    assert "'5k'" in result.stderr
    assert "200k" in result.stderr
