import sys

import cloudpickle
import pytest
from pyspeedup.concurrent import Cache
from pyspeedup.core.testing import EngineContract
from pyspeedup.dask import Dask

cloudpickle.register_pickle_by_value(sys.modules[__name__])


class OnTheCluster(EngineContract):
    @pytest.fixture(autouse=True)
    def of_all_tests(self, cluster):
        self.address = cluster

    def make_callable(self, engine, function):
        return Cache(function, engine=engine)

    def number_of(self, function):
        return function._evaluator()[1]


class TestComputingNestedCallsOnTheSpot(OnTheCluster):
    def make_engine(self):
        return Dask(address=self.address)


class TestMakingATaskOfEachNestedCall(OnTheCluster):
    def make_engine(self):
        return Dask(address=self.address, threshold=0)


del OnTheCluster, EngineContract
