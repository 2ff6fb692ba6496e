"""The contracts see each fault that is planted in a serializer, halt condition or engine."""

from __future__ import annotations

import inspect
import json
import pickle
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from _pytest.outcomes import Failed
from hypothesis import strategies as st
from pyspeedup.core import Batch, PickleSerializer, SerializationError
from pyspeedup.core.testing import (
    EngineContract,
    HaltConditionContract,
    SerializerContract,
    strategies,
)
from pyspeedup.core.testing._values import same


def names_of_tests(contract):
    return {name for name in dir(contract) if name.startswith("test_")}


def failures(contract, *arguments):
    """Return the names of the tests of `contract` that fail."""
    failed = set()
    for name in names_of_tests(contract):
        try:
            getattr(contract, name)(*arguments)
        except (Exception, Failed):  # noqa: BLE001 -- whatever shows the fault
            failed.add(name)
        except pytest.skip.Exception:
            pass
    return failed


# Serializers


class TestPickleSerializer(SerializerContract):
    def make_serializer(self):
        return PickleSerializer()


class Json:
    """A right serializer of few types, with an option."""

    def __init__(self, *, indent=None):
        self.indent = indent

    def options(self):
        return {"indent": self.indent}

    def dumps(self, obj):
        try:
            data = json.dumps(obj, indent=self.indent).encode()
            come_back = same(obj, json.loads(data))
        except (RecursionError, TypeError, ValueError) as error:
            raise SerializationError(str(error)) from error
        if not come_back:
            raise SerializationError(f"{obj!r} would come back as another value")
        return data

    def loads(self, data):
        try:
            return json.loads(bytes(data))
        except ValueError as error:
            raise SerializationError(str(error)) from error


class TestJson(SerializerContract):
    value_strategy = strategies.json_values()

    def make_serializer(self):
        return Json(indent=2)


class Text:
    """Takes text alone, so that a contract which draws anything else fails."""

    def dumps(self, obj):
        if type(obj) is not str:
            raise SerializationError("it is no text")
        return obj.encode("utf-8", "surrogatepass")

    def loads(self, data):
        try:
            return bytes(data).decode("utf-8", "surrogatepass")
        except ValueError as error:
            raise SerializationError(str(error)) from error


class TestText(SerializerContract):
    value_strategy = st.text()

    def make_serializer(self):
        return Text()


class Unwrapped(PickleSerializer):
    def dumps(self, obj):
        return pickle.dumps(obj)


class UnwrappedLoads(PickleSerializer):
    def loads(self, data):
        return pickle.loads(data)


class TurnsTuplesIntoLists(PickleSerializer):
    def loads(self, data):
        value = super().loads(data)
        return list(value) if isinstance(value, tuple) else value


class ReturnsABytearray(PickleSerializer):
    def dumps(self, obj):
        return bytearray(super().dumps(obj))


class LoadsBytesOnly(PickleSerializer):
    def loads(self, data):
        assert isinstance(data, bytes)
        return super().loads(data)


class SortsWhatItWrites(PickleSerializer):
    def dumps(self, obj):
        data = super().dumps(obj)
        if isinstance(obj, list):
            obj.append(1)
        return data


class RefersToWhatItWroteBefore(PickleSerializer):
    def __init__(self):
        self.written = []

    def dumps(self, obj):
        self.written.append(super().dumps(obj))
        return super().dumps((len(self.written) - 1, len(self.written)))

    def loads(self, data):
        place, length = super().loads(data)
        if length != len(self.written):
            raise SerializationError("not the last")
        return super().loads(self.written[place])


class WritesAnythingInsideContainers(PickleSerializer):
    def dumps(self, obj):
        try:
            return super().dumps(obj)
        except SerializationError:
            if isinstance(obj, list):
                return super().dumps(repr(obj))
            raise


class WritesTextAlone(PickleSerializer):
    """Takes text of any class, and gives a plain one back."""

    def dumps(self, obj):
        return super().dumps(str(obj) if isinstance(obj, str) else obj)


class ReadsWithoutEnd(PickleSerializer):
    def dumps(self, obj):
        self.depth = 0
        self.descend(obj)
        return super().dumps(self.depth)

    def descend(self, obj):
        self.depth += 1
        for item in obj if isinstance(obj, list) else ():
            self.descend(item)


class ForgetsItsOption(PickleSerializer):
    def __init__(self, *, key=7):
        self.key = key

    def options(self):
        return {}

    def loads(self, data):
        value, key = super().loads(data)
        if key != self.key:
            raise SerializationError("another key")
        return value

    def dumps(self, obj):
        return super().dumps((obj, self.key))


class NoLoads:
    def dumps(self, obj):
        return b""


SERIALIZER_FAULTS = {
    "test_has_the_methods_of_the_protocol": NoLoads,
    "test_gives_values_back_equal_and_of_the_same_type": TurnsTuplesIntoLists,
    "test_dumps_returns_bytes": ReturnsABytearray,
    "test_loads_from_any_kind_of_buffer": LoadsBytesOnly,
    "test_dumps_leaves_the_value_as_it_was": SortsWhatItWrites,
    "test_values_do_not_depend_on_what_went_before": RefersToWhatItWroteBefore,
    "test_refuses_with_a_serialization_error": Unwrapped,
    "test_refuses_inside_containers": WritesAnythingInsideContainers,
    "test_refuses_what_would_not_come_back": WritesTextAlone,
    "test_refuses_what_is_too_deep_for_it": ReadsWithoutEnd,
    "test_damaged_bytes_raise_nothing_but_a_serialization_error": UnwrappedLoads,
    "test_options_remake_it": lambda: ForgetsItsOption(key=8),
}


@pytest.mark.parametrize("name", SERIALIZER_FAULTS)
def test_a_fault_planted_in_a_serializer_is_seen(name):
    class Contract(SerializerContract):
        def make_serializer(self):
            return SERIALIZER_FAULTS[name]()

    assert name in failures(Contract())


@pytest.mark.parametrize("options", [{"sizes": (1, 2)}, {"sizes": {1: 2}}, {1: 2}])
def test_options_that_a_store_could_not_record_are_seen(options):
    class Recorded(PickleSerializer):
        def options(self):
            return options

    class Contract(SerializerContract):
        def make_serializer(self):
            return Recorded()

        def remake(self, options):
            return Recorded()

    assert failures(Contract()) == {"test_options_remake_it"}


def test_every_test_of_the_serializer_contract_sees_a_fault():
    assert set(SERIALIZER_FAULTS) == names_of_tests(SerializerContract)


# Halt conditions


def passed(buffer, item, attempts):
    return buffer.cached[-1] > item


class TestPassed(HaltConditionContract):
    def make_condition(self):
        return passed


class TestPatience(HaltConditionContract):
    gives_up = True

    def make_condition(self):
        return lambda buffer, item, attempts: attempts >= 3


class NeitherTrueNorFalse:
    def __bool__(self):
        raise TypeError("neither")


def forgetful():
    asked = []

    def condition(buffer, item, attempts):
        asked.append(item)
        return len(asked) % 2

    return condition


def greedy(buffer, item, attempts):
    return buffer.cached.pop() > item if len(buffer.cached) > 1 else False


CONDITION_FAULTS = {
    "test_answers_true_or_false": lambda buffer, item, attempts: NeitherTrueNorFalse(),
    "test_answers_the_same_when_asked_again": forgetful(),
    "test_leaves_the_buffer_as_it_was": greedy,
    "test_is_satisfied_with_one_value": lambda buffer, item, attempts: buffer.cached[-2] > item,
    "test_never_stops_before_an_item_that_comes": lambda buffer, item, attempts: attempts > 3,
}


@pytest.mark.parametrize("name", CONDITION_FAULTS)
def test_a_fault_planted_in_a_halt_condition_is_seen(name):
    class Contract(HaltConditionContract):
        def make_condition(self):
            return CONDITION_FAULTS[name]

    assert name in failures(Contract())


def test_every_test_of_the_halt_condition_contract_sees_a_fault():
    assert set(CONDITION_FAULTS) == names_of_tests(HaltConditionContract)


# Engines


class Engine:
    """A right engine, which computes in threads; nested calls are computed on the spot."""

    workers = 2

    def __init__(self):
        self.functions = []
        self.known = {}
        self.evaluating = threading.local()
        self.pool = None
        self.closed = False
        self.lock = threading.Lock()

    def define(self, function, name):
        with self.lock:
            self.functions.append(function)
            return len(self.functions) - 1

    def submit(self, function_id, args, kwargs):
        with self.lock:
            if self.closed:
                raise RuntimeError("the engine is closed")
            if self.pool is None:
                self.pool = ThreadPoolExecutor(self.workers)
            return self.pool.submit(self.evaluate, function_id, args, kwargs)

    def submit_batch(self, function_id, calls):
        with self.lock:
            if self.closed:
                raise RuntimeError("the engine is closed")
            if self.pool is None:
                self.pool = ThreadPoolExecutor(self.workers)
            return self.pool.submit(self.evaluate_all, function_id, calls)

    def evaluate_all(self, function_id, calls):
        values, failure = [], None
        for args in calls:
            try:
                values.append(self.evaluate(function_id, args, {}))
            except Exception as error:  # noqa: BLE001 -- it is the caller's
                failure = error
                break
        return Batch(values, failure, 0.0)

    def evaluate(self, function_id, args, kwargs):
        """Compute a call, or wait for the thread that does; what it came to is remembered."""
        try:
            key = (function_id, args, *sorted(kwargs.items()))
            hash(key)
        except TypeError:
            return self.compute(function_id, args, kwargs)
        own = Future(), threading.get_ident()
        future, thread = self.known.setdefault(key, own)
        if future is not own[0]:
            if future.done() or thread != threading.get_ident():
                return future.result()
            return self.compute(function_id, args, kwargs)
        try:
            future.set_result(self.compute(function_id, args, kwargs))
        except Exception as error:  # noqa: BLE001 -- it is for those who wait, too
            del self.known[key]
            future.set_exception(error)
        return future.result()

    def compute(self, function_id, args, kwargs):
        self.evaluating.depth = getattr(self.evaluating, "depth", 0) + 1
        try:
            return self.functions[function_id](*args, **kwargs)
        finally:
            self.evaluating.depth -= 1

    def local(self, function_id):
        return Local(self, function_id) if getattr(self.evaluating, "depth", 0) else None

    def forget(self, function_id):
        for key in [key for key in self.known if key[0] == function_id]:
            del self.known[key]

    def close(self):
        with self.lock:
            self.closed = True
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)

    def end(self):
        """Close, whatever fault was planted in `close`."""
        Engine.close(self)


class Local:
    def __init__(self, engine, function_id):
        self.engine = engine
        self.function_id = function_id

    def __call__(self, *args, **kwargs):
        return self.engine.evaluate(self.function_id, args, kwargs)

    def apply_async(self, *args, **kwargs):
        pass

    def batch_async(self, *calls):
        pass


class TestEngine(EngineContract):
    def make_engine(self):
        return Engine()


class NoWorkers(Engine):
    workers = 0

    def submit(self, function_id, args, kwargs):
        raise RuntimeError("nobody there")


class StartsAtOnce(Engine):
    def __init__(self):
        super().__init__()
        self.waiting = threading.Event()
        self.thread = threading.Thread(target=self.waiting.wait)
        self.thread.start()

    def define(self, function, name):
        threading.Thread(target=self.waiting.wait).start()
        return super().define(function, name)

    def end(self):
        self.waiting.set()
        super().end()


class TurnsNoneIntoZero(Engine):
    def evaluate(self, function_id, args, kwargs):
        return super().evaluate(function_id, args, kwargs) or 0


class DropsKeywords(Engine):
    def evaluate(self, function_id, args, kwargs):
        return super().evaluate(function_id, args, {})


class KnowsFunctionsByName(Engine):
    def define(self, function, name):
        self.functions = {**dict(self.functions), name: function}
        return name


class ShipsByReference(Engine):
    def define(self, function, name):
        if function.__closure__ and name == "shifted":
            raise pickle.PicklingError(name)
        return super().define(function, name)


class MixesAnswers(Engine):
    last = 0

    def evaluate(self, function_id, args, kwargs):
        before, self.last = self.last, super().evaluate(function_id, args, kwargs)
        return before if len(args) == 1 and args[0] in (250, 310) else self.last


class RaisesSomethingElse(Engine):
    def evaluate(self, function_id, args, kwargs):
        try:
            return super().evaluate(function_id, args, kwargs)
        except Exception as error:  # noqa: BLE001 -- the fault is that it does
            raise KeyError(str(error)) from None


class LosesTracebacks(Engine):
    def submit(self, function_id, args, kwargs):
        done = super().submit(function_id, args, kwargs)
        error = done.exception()
        if error is None:
            return done
        bare = Future()
        bare.set_exception(type(error)(*error.args))
        return bare


class HangsOnWhatCannotTravel(Engine):
    def submit(self, function_id, args, kwargs):
        future = super().submit(function_id, args, kwargs)
        cannot_travel = future.exception() is None and hasattr(future.result(), "__next__")
        return Future() if cannot_travel else future


class NoLocal(Engine):
    def local(self, function_id):
        return None

    def submit(self, function_id, args, kwargs):
        depth = getattr(self.evaluating, "depth", 0)
        if depth:
            raise RuntimeError("a nested call would wait for ever")
        return super().submit(function_id, args, kwargs)


class AlwaysLocal(Engine):
    def local(self, function_id):
        return Local(self, function_id)


class NeverForgets(Engine):
    def forget(self, function_id):
        pass


class ComputesWhatRuns(Engine):
    def evaluate(self, function_id, args, kwargs):
        return self.compute(function_id, args, kwargs)


class ReversesBatches(Engine):
    def evaluate_all(self, function_id, calls):
        return super().evaluate_all(function_id, calls[::-1])


class HidesTheErrorOfABatch(Engine):
    def evaluate_all(self, function_id, calls):
        return super().evaluate_all(function_id, calls)._replace(error=None)


class NeedsACall(Engine):
    def evaluate_all(self, function_id, calls):
        return super().evaluate_all(function_id, [calls[0], *calls[1:]])


class AcceptsBatchesWhenClosed(Engine):
    def submit_batch(self, function_id, calls):
        return Future() if self.closed else super().submit_batch(function_id, calls)


class EvaluatesWhatWasCancelled(Engine):
    def submit(self, function_id, args, kwargs):
        future = Future()

        def bring(done):
            if future.set_running_or_notify_cancel():
                future.set_result(done.result())

        super().submit(function_id, args, kwargs).add_done_callback(bring)
        return future


class CancelsForAll(Engine):
    def __init__(self):
        super().__init__()
        self.begun = {}

    def submit(self, function_id, args, kwargs):
        key = (function_id, args)
        if key not in self.begun:
            self.begun[key] = super().submit(function_id, args, kwargs)
        return self.begun[key]


class ClosesOnce(Engine):
    def close(self):
        if self.closed:
            raise RuntimeError("closed already")
        super().close()


class AcceptsCallsWhenClosed(Engine):
    def submit(self, function_id, args, kwargs):
        return Future() if self.closed else super().submit(function_id, args, kwargs)


class HangsCallersAtClose(Engine):
    def submit(self, function_id, args, kwargs):
        return Future()


class StartsManyProcesses(Engine):
    """Starts a process a worker and two too many at the first call, and ends them in `end` only."""

    processes = ()

    def submit(self, function_id, args, kwargs):
        if not self.processes:
            command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
            count = self.workers + 2
            self.processes = [
                subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(count)
            ]
        return super().submit(function_id, args, kwargs)

    def end(self):
        super().end()
        for process in self.processes:
            process.communicate()


class SwallowsErrors(Engine):
    def evaluate(self, function_id, args, kwargs):
        try:
            return super().evaluate(function_id, args, kwargs)
        except TypeError:
            return None


ENGINE_FAULTS = {
    "test_has_the_methods_of_the_protocol": NoWorkers,
    "test_starts_nothing_before_the_first_call": StartsAtOnce,
    "test_returns_what_the_function_returns": TurnsNoneIntoZero,
    "test_passes_keyword_arguments": DropsKeywords,
    "test_keeps_functions_apart": KnowsFunctionsByName,
    "test_takes_closures": ShipsByReference,
    "test_answers_many_calls": MixesAnswers,
    "test_answers_several_threads": MixesAnswers,
    "test_errors_keep_type_message_and_traceback": LosesTracebacks,
    "test_errors_keep_attributes": RaisesSomethingElse,
    "test_wrong_arguments_are_a_type_error": SwallowsErrors,
    "test_what_cannot_travel_does_not_hang": HangsOnWhatCannotTravel,
    "test_a_global_name_means_the_function_where_it_is_evaluated": NoLocal,
    "test_a_closed_over_name_means_the_function_where_it_is_evaluated": NoLocal,
    "test_nested_calls_with_hints_from_several_callers": NoLocal,
    "test_errors_of_nested_calls_arrive": NoLocal,
    "test_nothing_is_local_outside_of_evaluations": AlwaysLocal,
    "test_forgotten_results_are_computed_again": NeverForgets,
    "test_never_has_more_children_than_workers_and_one": StartsManyProcesses,
    "test_close_leaves_no_process_and_may_come_again": StartsManyProcesses,
    "test_closed_engines_refuse_calls": AcceptsCallsWhenClosed,
    "test_close_leaves_no_caller_waiting": HangsCallersAtClose,
    "test_a_batch_brings_the_values_in_order": ReversesBatches,
    "test_a_batch_ends_at_the_first_error": HidesTheErrorOfABatch,
    "test_a_batch_may_be_empty": NeedsACall,
    "test_a_batch_of_nested_calls_is_answered": NoLocal,
    "test_a_batch_of_a_closed_engine_is_refused": AcceptsBatchesWhenClosed,
    "test_what_is_cancelled_before_it_began_is_not_evaluated": EvaluatesWhatWasCancelled,
    "test_one_of_two_who_want_a_call_may_cancel": CancelsForAll,
    "test_what_takes_long_is_evaluated_once": ComputesWhatRuns,
}


@pytest.mark.parametrize("name", ENGINE_FAULTS)
def test_a_fault_planted_in_an_engine_is_seen(name, tmp_path, monkeypatch):
    monkeypatch.setattr("pyspeedup.core.testing.engines.PATIENCE", 1.0)

    class Contract(EngineContract):
        def make_engine(self):
            made.append(ENGINE_FAULTS[name]())
            return made[-1]

    made = []
    contract = Contract()
    available = {"engine": contract.make_engine(), "tmp_path": tmp_path}
    test = getattr(contract, name)
    arguments = [available[argument] for argument in inspect.signature(test).parameters]
    try:
        with pytest.raises((Exception, Failed)):
            test(*arguments)
    finally:
        for engine in made:
            engine.end()


def test_an_engine_that_closes_only_once_is_seen():
    class Contract(EngineContract):
        def make_engine(self):
            return ClosesOnce()

    with pytest.raises(RuntimeError, match="closed already"):
        Contract().test_close_leaves_no_process_and_may_come_again()


def test_every_test_of_the_engine_contract_sees_a_fault():
    assert set(ENGINE_FAULTS) == names_of_tests(EngineContract)
