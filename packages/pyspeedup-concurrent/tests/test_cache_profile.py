"""What `Cache.profile` makes of figures: made-up ones, and those of each engine."""

import json
import sys

import pytest
from pyspeedup.concurrent import Cache, CacheInfo
from pyspeedup.concurrent._caching.profile import Figures, Profile
from pyspeedup.concurrent._caching.profile_trace import events_of, lanes_of
from pyspeedup.concurrent.engines import Processes, Serial
from pyspeedup.core import FunctionStats, Span


def figures(*, info=(0, 0, None, 0), spans=(), counts=True, **stats):
    return Figures(
        name="outer.<locals>.f",
        function="f",
        engine="Processes with 2 workers",
        info=CacheInfo(*info),
        stats=FunctionStats(**{"workers": 2, **stats}),
        counts=counts,
        spans=spans,
    )


def spans_of(kind, *times, function="f", worker=7):
    return [Span(worker, function, str(n), kind, *time) for n, time in enumerate(times)]


# Advice --------------------------------------------------------------------------------------------


def test_where_all_is_well_there_is_no_advice():
    well = figures(calls=400, seconds=2.0, exported=30, published=400, fetched=100, idle=0.1)
    assert Profile(well).advice == []
    assert Profile(figures()).advice == []


@pytest.mark.parametrize(
    ("words", "stats"),
    [
        ("Hints cannot pay: a call takes 2 us by itself", {"calls": 10**6, "seconds": 2.0}),
        (
            "share next to nothing: of 4,000 results .* 7 were taken up",
            {"calls": 4000, "seconds": 4.0, "published": 4000, "fetched": 7},
        ),
        ("computed 25% of the calls", {"calls": 400, "seconds": 4.0, "repeated": 100}),
        ("2 workers had nothing to do for 50%.*by batch_async", {"seconds": 1.0, "idle": 1.0}),
        (
            "2 workers had nothing to do for 50%.*more calls",
            {"seconds": 1.0, "idle": 1.0, "exported": 3},
        ),
        ("waited for one another for 40%", {"seconds": 3.0, "waits": 4, "waited": 2.0}),
    ],
)
def test_each_trouble_has_its_advice(words, stats):
    import re

    advice = Profile(figures(**stats)).advice
    assert len(advice) == 1
    assert re.search(words, advice[0])


@pytest.mark.parametrize(
    "stats",
    [
        {"calls": 10, "seconds": 1e-6},
        {"calls": 400, "seconds": 4.0, "published": 400, "fetched": 40},
        {"calls": 400, "seconds": 4.0, "repeated": 20},
        {"calls": 400, "seconds": 0.01, "idle": 0.05},
        {"calls": 400, "seconds": 4.0, "idle": 0.5},
        {"calls": 400, "seconds": 4.0, "idle": 40.0, "workers": 1},
        {"calls": 400, "seconds": 4.0, "waits": 4, "waited": 0.5},
    ],
)
def test_what_is_slight_is_let_be(stats):
    assert Profile(figures(**stats)).advice == []


def test_tiny_calls_that_went_one_by_one_are_noticed():
    each = [(n, n + 1e-5) for n in range(150)]
    advice = Profile(figures(calls=150, seconds=0.1, spans=spans_of("call", *each))).advice
    assert len(advice) == 1
    assert advice[0].startswith("150 calls went to workers one by one")
    others = spans_of("call", *each, function="g") + spans_of("batch", *each)
    assert Profile(figures(calls=150, seconds=0.1, spans=others)).advice == []


def test_the_longest_wait_is_named():
    waits = spans_of("wait", (0, 1), (2, 3.5), (4, 4.25))
    (sentence,) = Profile(figures(seconds=1.0, waits=3, waited=2.75, spans=waits)).advice
    assert "the longest wait, of 1.5 s, was in f(1)" in sentence


# The table -----------------------------------------------------------------------------------------


def test_the_table_shows_the_figures():
    stats = {"calls": 4000, "seconds": 2.0, "exported": 12, "waits": 3, "waited": 0.3, "idle": 0.7}
    profile = Profile(figures(info=(1234, 56, None, 78), **stats))
    rows = dict(profile.rows())
    assert rows["answered from memory"] == "1,234"
    assert rows["their own work"] == "2 s, 500 us a call"
    assert rows["waits for another worker"] == "3, 300 ms, 100 ms each"
    assert rows["workers idle"] == "700 ms, 23% of their time"
    text = str(profile)
    assert text.startswith("outer.<locals>.f, evaluated by Processes with 2 workers\n")
    assert all(value in text for value in rows.values())
    assert text.splitlines()[-1] == "- " + profile.advice[-1]
    assert repr(profile) == "<Profile of outer.<locals>.f: 1,234 hits, 56 misses>"


def test_the_table_of_a_notebook_is_html():
    page = Profile(figures(calls=10**6, seconds=2.0))._repr_html_()
    assert "outer.&lt;locals&gt;.f" in page
    assert "<locals>" not in page
    assert page.count("<tr>") == page.count("</tr>") == 12
    assert "<li>Hints cannot pay" in page


def test_an_engine_that_does_not_count_is_said_not_to():
    profile = Profile(figures(info=(3, 1, None, 1), counts=False, spans=None))
    assert "does not count" in str(profile)
    assert len([*profile.rows()]) == 3
    assert profile.advice == []
    for use in (profile.plot, lambda: profile.save_trace("nowhere")):
        with pytest.raises(RuntimeError, match="Processes with 2 workers keeps no trace"):
            use()


# The trace -----------------------------------------------------------------------------------------


def test_the_trace_is_what_chrome_and_perfetto_read(tmp_path):
    spans = [
        Span(7, "f", "1", "call", 10.0, 10.5),
        Span(7, "f", "1", "wait", 10.125, 10.25),
        Span(8, "f", "2", "batch", 10.25, 10.75),
    ]
    path = tmp_path / "trace.json"
    Profile(figures(spans=spans)).save_trace(path)
    trace = json.loads(path.read_text())
    assert trace["displayTimeUnit"] == "ms"
    names = {
        e["pid"]: e["args"]["name"] for e in trace["traceEvents"] if e["name"] == "process_name"
    }
    assert names == {7: "worker 7", 8: "worker 8"}
    drawn = [e for e in trace["traceEvents"] if e["ph"] == "X"]
    assert [(e["name"], e["cat"], e["pid"], e["ts"], e["dur"]) for e in drawn] == [
        ("f(1)", "call", 7, 0.0, 500_000.0),
        ("f(1)", "wait", 7, 125_000.0, 125_000.0),
        ("f(2)", "batch", 8, 250_000.0, 500_000.0),
    ]
    assert {e["ph"] for e in trace["traceEvents"]} == {"X", "M"}


def test_a_trace_of_nothing_is_empty(tmp_path):
    Profile(figures()).save_trace(tmp_path / "trace.json")
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"] == []


def test_stacks_that_run_in_turn_have_lanes_of_their_own():
    spans = spans_of("call", (0, 4), (1, 2), (3, 5), (4, 6), (5, 7)) + spans_of(
        "call", (0, 9), worker=8
    )
    lanes = lanes_of(spans)
    assert [[(s.start, s.end) for s in lane] for lane in lanes[7]] == [
        [(0, 4), (1, 2), (4, 6)],
        [(3, 5), (5, 7)],
    ]
    assert len(lanes[8]) == 1
    assert sum(e["ph"] == "X" for e in events_of(spans)) == len(spans)


def test_a_plot_has_a_row_for_each_worker(monkeypatch, tmp_path):
    monkeypatch.setenv("MPLCONFIGDIR", str(tmp_path))  # else it writes into the home folder
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    spans = (
        spans_of("call", (0, 4), (3, 5))
        + spans_of("wait", (1, 2))
        + spans_of("batch", (0, 1), worker=8)
    )
    axes = Profile(figures(spans=spans)).plot()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["worker 7", "", "worker 8"]
    legend = [text.get_text() for text in axes.get_legend().get_texts()]
    assert legend == ["called", "waiting", "called together"]
    own = plt.subplots()[1]
    assert Profile(figures()).plot(own) is own
    plt.close("all")


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pyspeedup-concurrent\[plot\]"):
        Profile(figures()).plot()


# Engines -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["serial", "threads", "processes"])
def test_each_engine_counts_what_it_computes(engine):
    @Cache(engine=engine, **({} if engine == "serial" else {"workers": 1}))
    def total(n):
        return n + sum(total(m) for m in range(n))

    assert total(20) == sum(map(total, range(20))) + 20
    stats = total.profile().figures.stats
    assert stats.calls == 21
    assert stats.workers == 1
    assert stats.seconds >= 0
    assert dict(total.profile().rows())["calls computed in workers"] == "21"
    total.cache_clear()
    assert total(1) == 1
    if engine != "processes":
        assert total.profile().figures.stats.calls == 2


@pytest.mark.parametrize("engine", ["serial", "threads"])
def test_time_is_that_of_calls_that_were_submitted(engine):
    import time

    @Cache(engine=engine)
    def wait(n):
        time.sleep(0.02)
        return wait(n - 1) if n else 0

    assert wait(2) == 0
    assert wait.profile().figures.stats.seconds >= 0.06


def test_the_trace_of_processes_tells_of_calls_and_batches(tmp_path):
    with Processes(workers=2) as engine:
        square = Cache(lambda n: n * n, engine=engine)
        assert square(3) == 9
        assert sum(square.map(range(100), chunksize=25)) == 328350
        profile = square.profile()
    spans = profile.figures.spans
    assert {span.kind for span in spans} >= {"call", "batch"}
    assert all(span.start <= span.end for span in spans)
    assert any(span.call == "3" for span in spans)
    profile.save_trace(tmp_path / "trace.json")
    assert len(json.loads((tmp_path / "trace.json").read_text())["traceEvents"]) > len(spans)


def test_an_engine_without_counts_leaves_what_the_cache_knows():
    class Bare:
        def __init__(self):
            engine = Serial()
            for name in ("define", "submit", "local", "forget", "close"):
                setattr(self, name, getattr(engine, name))

        workers = 1

    square = Cache(lambda n: n * n, engine=Bare())
    assert square(3) == square(3) == 9
    profile = square.profile()
    assert dict(profile.rows())["answered from memory"] == "1"
    assert "does not count" in str(profile)


def test_a_bound_method_has_the_profile_of_the_method():
    class Tower:
        @Cache(engine="serial")
        def height(self, n):
            return n

    assert Tower().height(3) == 3
    assert "Tower.height" in repr(Tower().height.profile())
