import itertools
import sys
import threading
import time
from pathlib import Path

import cloudpickle
import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.core.testing import EngineContract
from pyspeedup.dask import Dask

cloudpickle.register_pickle_by_value(sys.modules[__name__])

PATIENCE = 60


def log(path):
    with Path(path).open("a") as file:
        file.write("begun\n")


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)


def logs_on(engine):
    """Return which calls of `log` the scheduler knows of, and which the workers do."""
    client = engine._link._client
    of_scheduler = client.run_on_scheduler(lambda dask_scheduler: [*dask_scheduler.tasks])
    of_workers = client.run(lambda dask_worker: [*dask_worker.state.tasks]).values()
    known = (of_scheduler, itertools.chain.from_iterable(of_workers))
    return [{key for key in keys if key.startswith("pyspeedup-log-")} for keys in known]


def are_left(engine, number):
    of_scheduler, of_workers = logs_on(engine)
    return len(of_scheduler) == number and of_workers <= of_scheduler


class OnTheCluster(EngineContract):
    @pytest.fixture(autouse=True)
    def of_all_tests(self, cluster):
        self.address = cluster

    def make_callable(self, engine, function):
        return Cache(function, engine=engine)

    def number_of(self, function):
        return function._evaluator()[1]

    def test_what_is_cancelled_before_it_began_is_not_evaluated(self, engine, tmp_path):
        """As of the others, but the workers hear of it some milliseconds later."""
        holding, holders = self._hold_all_workers(engine, tmp_path)
        number, logs = engine.define(log, "log"), [tmp_path / f"log {n}" for n in range(33)]
        queued = [engine.submit(number, (path,), {}) for path in logs[:30]]
        queued.append(engine.submit_batch(number, [(path,) for path in logs[31:]]))
        kept, also = (engine.submit(number, (path,), {}) for path in (logs[30], logs[0]))
        wait_until(lambda: are_left(engine, 32))
        assert all(future.cancel() for future in queued)
        wait_until(lambda: are_left(engine, 2))
        holding.unlink()
        assert [holder.result(PATIENCE) for holder in holders] == ["held"] * len(holders)
        assert kept.result(PATIENCE) is None
        assert also.result(PATIENCE) is None, "one who waits for the same call did not cancel"
        assert engine.submit(number, (tmp_path / "last",), {}).result(PATIENCE) is None
        assert [path for path in logs if path.exists()] == [logs[0], logs[30]]


class TestComputingNestedCallsOnTheSpot(OnTheCluster):
    def make_engine(self):
        return Dask(address=self.address)


class TestMakingATaskOfEachNestedCall(OnTheCluster):
    def make_engine(self):
        return Dask(address=self.address, threshold=0)


del OnTheCluster, EngineContract
