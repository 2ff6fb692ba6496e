from pyspeedup.concurrent import Cache
from pyspeedup.concurrent.engines.processes import Processes
from pyspeedup.concurrent.engines.serial import Serial
from pyspeedup.concurrent.engines.threads import Threads
from pyspeedup.core.testing import EngineContract


class TestSerial(EngineContract):
    def make_engine(self):
        return Serial()


class TestThreads(EngineContract):
    def make_engine(self):
        return Threads(workers=2)


class TestProcesses(EngineContract):
    def make_engine(self):
        return Processes(workers=2)

    def make_callable(self, engine, function):
        return Cache(function, engine=engine)
