"""The benchmarks of pyspeedup.concurrent measure work that was really done, and say so where it was not."""

import json
import time
from pathlib import Path

import pytest
from benchmark_runs import BENCHMARKS, assert_old_figures_are_noticed, run

SCRIPT = BENCHMARKS / "bench_concurrent.py"

LYING_STREAM = """
import contextlib
from concurrency import streams
from contests.workload import Peer

@contextlib.contextmanager
def liar(source, ahead):
    items = source.generator()
    yield {lie}

print(streams.WORKLOADS[{workload!r}].measure(Peer(liar), 0.001))
"""
WARM_UP = "source.generator.func is streams.numbers"
LYING_MEMO = """
import contextlib
from concurrency import memos
from contests.workload import Peer

def forgetful(function):
    import functools
    known = functools.lru_cache(None)(function)
    return lambda *arguments: {lie}

@contextlib.contextmanager
def liar():
    yield forgetful

print(memos.WORKLOADS[{workload!r}].measure(Peer(liar), 0.001))
"""
LYING_GRAPH = """
import contextlib
from concurrency import branching, graphs
from contests.workload import Peer

@contextlib.contextmanager
def liar(graph):
    values = {lie}
    yield lambda: values

print(branching.WORKLOADS["C4"].measure(Peer(liar), 0.001))
"""
LYING_MAP = """
import contextlib
from concurrency import maps, map_peers
from contests.workload import Peer

@contextlib.contextmanager
def liar():
    yield lambda steps, numbers: {lie}

print(maps.WORKLOADS["C7"].measure(Peer(liar), 0.001))
"""
HONEST_GRAPH = "graphs.in_order(graph)"
PLANTED = """
import contextlib, os, sys, time
from concurrency import registry
from contests.workload import Peer, Workload
import bench_concurrent

def planted(peer, scale):
    return peer.use()

peers = {peers}
hung = Peer(lambda: time.sleep(600))
registry.EVERY["X"] = Workload("planted", planted, peers, {{"speed": "x"}})
registry.EVERY["Y"] = Workload("planted", planted, {{"hangs": hung}}, {{"speed": "x"}}, patience=1)
bench_concurrent.__file__ = sys.argv[0] = __file__
sys.exit(bench_concurrent.main())
"""
GRANDCHILD = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
print("{}", flush=True)
time.sleep(float(sys.argv[2]))
"""
CONTEST = """
import sys
import contest
contest.LINGERING = 0.1
try:
    print(contest.answer_of([sys.executable, "-c", *sys.argv[2:]], float(sys.argv[1])))
except contest.ChildFailedError as error:
    print(error)
"""
BARS = """
import json, sys
from concurrency.subject import SUBJECT
from contests.figures import Row
measured = {workload: {peer: Row(**row) for peer, row in table.items()}
            for workload, table in json.loads(sys.argv[1]).items()}
for verdict in SUBJECT.verdicts(measured):
    print(verdict.figure, verdict.found, verdict.word, sep=" | ")
"""
GRAPHS = """
from concurrency import graphs
for graph in (graphs.irregular(400, 90), graphs.irregular(16, 90), graphs.tree(400, 90)):
    assert all(need < node for node, needs in enumerate(graph.needs) for need in needs)
    needed = {graph.root}
    for node in range(graph.root, -1, -1):
        assert node in needed
        needed.update(graph.needs[node])
    assert len(graph.steps) == len(graph.needs)
    assert abs(sum(graph.steps) / len(graph.steps) - 90) < 1, sum(graph.steps)
assert graphs.irregular(400, 90) == graphs.irregular(400, 90)
assert len(graphs.tree(400, 90).needs) == 399
print("good")
"""


def bench(tmp_path, *arguments):
    return run([SCRIPT, "--quick", "--rounds", "1", *arguments], tmp_path)


def planted(tmp_path, peers, *arguments):
    script = tmp_path / "planted.py"
    script.write_text(PLANTED.format(peers=peers))
    return run([script, *arguments], tmp_path)


def test_figures_of_all_who_take_part_are_printed_and_kept(tmp_path):
    path = tmp_path / "figures.json"
    only = "B1,B4,B7,C1,C3,C4,C6,C9"
    peers = "generator,list,lru_cache,executor,pyspeedup"
    result = bench(tmp_path, "--only", only, "--peers", peers, "--bars", "--json", path)
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(path.read_text(encoding="utf-8"))
    assert list(found["measured"]) == only.split(",")
    for workload, table in found["measured"].items():
        assert table["pyspeedup"]["failures"] == [], workload
        assert all(len(figures) == 1 for figures in table["pyspeedup"]["figures"].values())
    assert set(found["measured"]["C4"]) == {"lru_cache", "pyspeedup", "executor"}
    assert found["measured"]["C9"]["pyspeedup"]["figures"]["depth"] == [100_000]
    assert "C9 recursion" in result.stdout
    assert "RecursionError" in result.stdout  # of lru_cache
    assert list(tmp_path.glob("*bench*/*")) == []


def test_processes_may_be_started_by_spawn(tmp_path):
    asked = ["--only", "B5,C4", "--peers", "mp.Queue,executor,pyspeedup"]
    result = bench(tmp_path, "--start-method", "spawn", *asked)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "no " not in result.stdout


@pytest.mark.parametrize(
    ("workload", "lie", "told"),
    [
        ("B1", "items", "rate_16"),
        ("B1", "list(items)[:-1]", "the number of items"),
        ("B1", "(item + (item == 7) for item in items)", "item 7 is"),
        ("B2", "items", "rate_1024"),
        ("B2", "({**item, 'half': 0} for item in items)", "item 1 is"),
        ("B4", "items", "times_ideal"),
        ("B4", "list(items)[1:]", "what came first is"),
        ("B4", f"items if {WARM_UP} else list(items)[1:]", "what came is"),
        ("B5", "iter([1])", "the first item"),
        ("B6", "list(items)[1:]", "the number of items"),
    ],
)
def test_a_stream_that_is_not_whole_or_not_right_is_found_out(tmp_path, workload, lie, told):
    result = run(["-c", LYING_STREAM.format(workload=workload, lie=lie)], tmp_path)
    assert told in result.stdout + result.stderr


def test_arrays_that_were_written_to_after_their_turn_are_counted_and_get_no_rate(tmp_path):
    pytest.importorskip("numpy")
    told = run(["-c", LYING_STREAM.format(workload="B3", lie="list(items)")], tmp_path).stdout
    assert "'stale_8MB': 4.0" in told
    assert "GBps" not in told
    told = run(["-c", LYING_STREAM.format(workload="B3", lie="items")], tmp_path).stdout
    assert "'stale_8MB': 0.0" in told
    assert "GBps_8MB" in told


@pytest.mark.parametrize("workload", ["C1", "C2", "C3", "C9"])
@pytest.mark.parametrize("lie", ["known(*arguments)", "known(*arguments) + 1"])
def test_a_memory_that_remembers_something_else_is_found_out(tmp_path, workload, lie):
    result = run(["-c", LYING_MEMO.format(workload=workload, lie=lie)], tmp_path)
    if workload == "C9":
        assert "RecursionError" in result.stderr
    else:
        assert ("WrongAnswerError" in result.stderr) == (lie != "known(*arguments)"), result.stderr
        assert (result.returncode == 0) == (lie == "known(*arguments)")


def test_a_memory_that_is_wrong_only_now_and_then_is_found_out(tmp_path):
    lie = "known(*arguments) + (len(arguments) > 1)"
    result = run(["-c", LYING_MEMO.format(workload="C3", lie=lie)], tmp_path)
    assert "WrongAnswerError: the distance" in result.stderr


@pytest.mark.parametrize("lie", [HONEST_GRAPH, f"{HONEST_GRAPH} + 1"])
def test_a_graph_that_is_not_evaluated_is_found_out(tmp_path, lie):
    result = run(["-c", LYING_GRAPH.format(lie=lie)], tmp_path)
    assert (result.returncode == 0) == (lie == HONEST_GRAPH), result.stderr
    assert ("speedup" in result.stdout) == (lie == HONEST_GRAPH)


@pytest.mark.parametrize(
    ("lie", "right"),
    [
        ("[map_peers.task(steps, number) for number in numbers]", True),
        ("[map_peers.task(steps, number) for number in numbers[1:]]", False),
        ("[number for number in numbers]", False),
    ],
)
def test_a_map_that_does_not_do_the_work_is_found_out(tmp_path, lie, right):
    result = run(["-c", LYING_MAP.format(lie=lie)], tmp_path)
    assert (result.returncode == 0) == right, result.stderr
    assert ("speedup" in result.stdout) == right


def test_graphs_are_the_same_for_all_and_their_root_needs_every_node(tmp_path):
    result = run(["-c", GRAPHS], tmp_path)
    assert result.stdout == "good\n", result.stderr


def test_a_row_that_hangs_or_dies_says_so_and_the_others_go_on(tmp_path):
    peers = """{
    "dies": Peer(lambda: os.abort()),
    "raises": Peer(lambda: 1 / 0),
    "absent": Peer(None, "surely_not_installed"),
    "works": Peer(lambda: {"speed": 2.0}),
}"""
    path = tmp_path / "figures.json"
    result = planted(tmp_path, peers, "--only", "Y,X", "--json", path)
    assert result.returncode == 0, result.stderr
    assert "hangs: given up after 1 s" in result.stdout
    assert "dies: SIGABRT" in result.stdout
    assert "raises: ZeroDivisionError" in result.stdout
    assert "not installed, so left out: surely_not_installed" in result.stdout
    measured = json.loads(path.read_text(encoding="utf-8"))["measured"]
    assert measured["X"]["works"]["figures"] == {"speed": [2.0, 2.0, 2.0]}
    assert len(measured["Y"]["hangs"]["failures"]) == 1


def test_that_ours_has_failed_is_the_status(tmp_path):
    for outcome, status in (("1 / 0", 1), ('{"speed": 1.0}', 0)):
        peers = f'{{"pyspeedup": Peer(lambda: {outcome})}}'
        assert planted(tmp_path, peers, "--only", "X").returncode == status


def test_slow_peers_take_part_once_where_that_is_asked(tmp_path):
    path = tmp_path / "figures.json"
    peers = """{
    "slow": Peer(lambda: {"speed": 1.0}, slow=True),
    "fast": Peer(lambda: {"speed": 2.0}),
}"""
    assert planted(tmp_path, peers, "--only", "X", "--slow-once", "--json", path).returncode == 0
    table = json.loads(path.read_text(encoding="utf-8"))["measured"]["X"]
    assert table["slow"]["figures"] == {"speed": [1.0]}
    assert table["fast"]["figures"] == {"speed": [2.0, 2.0, 2.0]}


@pytest.mark.parametrize(("patience", "seconds"), [(60, 0), (3, 600)])
def test_what_a_contender_leaves_behind_is_ended(tmp_path, patience, seconds):
    number = tmp_path / "pid"
    result = run(["-c", CONTEST, patience, GRANDCHILD, number, seconds], tmp_path)
    assert ("given up" in result.stdout) == (seconds > patience), result.stderr
    stat = Path("/proc", number.read_text(), "stat")
    deadline = time.monotonic() + 20
    while stat.exists() and ") Z" not in stat.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not stat.exists() or ") Z" in stat.read_text()


@pytest.mark.parametrize(
    ("measured", "told"),
    [
        ({"C4": {"pyspeedup": {"figures": {"speedup": [1.9, 2.0, 1.0]}}}}, "1.9x serial | holds"),
        ({"C4": {"pyspeedup": {"figures": {"speedup": [1.96]}}}}, "1.96x serial | aim"),
        ({"C4": {"pyspeedup": {"figures": {"speedup": [1.6]}}}}, "1.6x serial | NO"),
        ({"C4": {"pyspeedup": {"failures": ["hung"]}}}, "failed: hung | NO"),
        ({"C1": {"pyspeedup": {"figures": {"times": [1.2]}}}}, "1.2x lru_cache | holds"),
        ({"C9m": {"pyspeedup": {"failures": ["dead"]}}}, "failed: dead | not yet"),
        (
            {
                "C8": {
                    "pyspeedup": {"figures": {"first_ms": [30, 60, 200]}},
                    "executor": {"figures": {"first_ms": [20, 20, 200]}},
                }
            },
            "1.5x executor | holds",
        ),
        (
            {
                "B2": {
                    "pyspeedup": {"figures": {"rate_1024": [6e5]}},
                    "generator": {"figures": {"rate_1024": [9e6]}},
                    "thread": {"figures": {"rate_1024": [8e5]}},
                    "executor-map": {"figures": {"rate_1024": [5e5]}},
                    "joblib": {"figures": {"rate_1024": [9e5]}, "failures": ["wrong"]},
                    "mp.Queue": {"figures": {"rate_1024": [1e5]}},
                }
            },
            "1.2x executor-map | aim",
        ),
    ],
)
def test_a_bar_says_what_was_found_and_whether_that_is_enough(tmp_path, measured, told):
    result = run(["-c", BARS, json.dumps(measured)], tmp_path)
    assert told in result.stdout, result.stderr


@pytest.mark.parametrize(
    ("option", "name", "known"), [("--only", "B9", "B7"), ("--peers", "celery", "mp.Queue")]
)
def test_an_unknown_name_is_told(tmp_path, option, name, known):
    result = bench(tmp_path, option, name)
    assert result.returncode != 0
    assert repr(name) in result.stderr
    assert known in result.stderr


def test_an_unknown_part_is_named(tmp_path):
    result = run([BENCHMARKS / "measure_concurrent.py", "everything"], tmp_path)
    assert result.returncode != 0
    assert "'everything'" in result.stderr
    assert "fine-graph" in result.stderr


def test_the_documentation_shows_the_committed_figures(tmp_path):
    result = run([BENCHMARKS / "document_concurrent.py", "--check"], tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_tables_and_pictures_of_other_figures_are_noticed(tmp_path):
    def change(found):
        found["map"]["measured"]["C6"]["pyspeedup"]["figures"]["speedup"] = [9.0]

    pictures = ("_static/benchmarks-buffer.svg", "_static/benchmarks-cache.svg")
    documents = ("benchmarks-concurrent.md", *pictures)
    assert_old_figures_are_noticed(
        tmp_path, "document_concurrent.py", "concurrent.json", change, documents
    )
