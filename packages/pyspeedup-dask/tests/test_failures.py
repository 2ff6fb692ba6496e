import os
import re
import signal
import sys
from pathlib import Path

import cloudpickle
import dask
import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.core import WorkerError
from pyspeedup.dask import Dask

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


def die_at_first(times, path):
    """Note our process in `path`, and kill it unless `times` notes stand there already."""
    with Path(path).open("a+") as file:
        file.write(f"{os.getpid()}\n")
        file.flush()
        file.seek(0)
        begun = len(file.readlines())
    if begun <= times:
        os.kill(os.getpid(), signal.SIGKILL)
    return begun


def survive_in_the_middle_of_a_recursion(engine, path):
    @Cache(engine=engine)
    def total(n):
        total.batch_async((n - 1,), (n - 2,))
        if n == 3:
            die_at_first(1, path)
        return n if n < 2 else total(n - 1) + total(n - 2)

    assert total(8) == 21
    assert total(9) == 34


def die_as_often_as_is_allowed(engine, path):
    number = engine.define(die_at_first, "die_at_first")
    with pytest.raises(WorkerError, match=r"die_at_first\(\) was begun on 2 workers") as caught:
        engine.submit(number, (100, str(path)), {}).result(PATIENCE)
    assert re.search(r"the last at tcp://127\.0\.0\.1:\d+", str(caught.value))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills workers as the system does")
def test_killed_workers(mortal_cluster, tmp_path):
    """One cluster for all that has to be seen, for it takes seconds to start."""
    killed = []
    for run, deaths in (
        (survive_in_the_middle_of_a_recursion, 1),
        (die_as_often_as_is_allowed, 2),
    ):
        path = tmp_path / run.__name__
        # An engine each: dask counts a death against all that was under way in the worker.
        with Dask(address=mortal_cluster.address, threshold=0) as engine:
            run(engine, path)
        begun = path.read_text().split()
        assert len(set(begun)) == 2, "begun in two processes"
        killed += begun[:deaths]
    logged = (tmp_path / "log").read_text()
    assert sorted(killed) == sorted(re.findall(r"process (\d+) was killed by signal 9", logged))
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        Dask(address=mortal_cluster.address) as engine,
    ):
        number = engine.define(pow, "pow")
        assert engine.submit(number, (2, 3), {}).result(PATIENCE) == 8
        mortal_cluster.close()
        with pytest.raises((WorkerError, OSError)):
            engine.submit(number, (2, 4), {}).result(PATIENCE)


def test_nobody_at_the_address_is_an_os_error():
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "300ms"}),
        Dask(address="tcp://127.0.0.1:9") as engine,
    ):
        number = engine.define(pow, "pow")
        for _ in range(2):
            with pytest.raises(OSError, match="9"):
                engine.submit(number, (2, 3), {})


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"address": "tcp://127.0.0.1:9", "workers": 2}, "address"),
        ({"workers": 0}, "workers"),
        ({"keep": -1}, "keep"),
        ({"keep_bytes": -1}, "keep_bytes"),
        ({"threshold": float("nan")}, "threshold"),
    ],
)
def test_wrong_options_are_named(options, named):
    with pytest.raises(ValueError, match=named):
        Dask(**options)


@pytest.mark.parametrize("named", ["client", "keep", "threshold"])
def test_options_of_a_wrong_type_are_named(named):
    with pytest.raises(TypeError, match=named):
        Dask(**{named: "many"})


def test_what_cannot_travel_is_told_at_once(make_engine):
    engine = make_engine()
    gate = (n for n in range(3))
    number = engine.define(lambda: gate, "give_gate")
    with pytest.raises(TypeError, match=r"give_gate\(\).*'gate'"):
        engine.submit(number, (), {})
    with pytest.raises(TypeError, match=r"arguments of pow\(\)"):
        engine.submit(engine.define(pow, "pow"), (gate, 2), {})


def test_a_nested_result_that_cannot_travel_is_computed_where_it_is_wanted(make_engine):
    @Cache(engine=make_engine(threshold=0))
    def numbers(n):
        return (m for m in range(n)) if n else sum(numbers(10))

    assert numbers(0) == 45
