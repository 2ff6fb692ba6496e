from pyspeedup.concurrent.engines.serial import Serial
from pyspeedup.concurrent.engines.threads import Threads
from pyspeedup.core.testing import EngineContract


class TestSerial(EngineContract):
    def make_engine(self):
        return Serial()


class TestThreads(EngineContract):
    def make_engine(self):
        return Threads(workers=2)
