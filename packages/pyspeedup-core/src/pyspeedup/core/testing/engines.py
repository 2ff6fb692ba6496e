"""The contract of execution engines: a test class to subclass."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import traceback
from concurrent.futures import CancelledError
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import pytest

from pyspeedup.core.protocols import Engine
from pyspeedup.core.testing.processes import child_processes, wait_for_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

__all__ = ["EngineContract", "NamedCall"]

PATIENCE = 60.0
"""Seconds after which a call that must end is taken to hang."""


class NamedCall:
    """What a function's own name stands for where its calls are answered by an engine.

    It does what `pyspeedup.concurrent.Cache` does, without remembering: inside an evaluation it
    asks the engine's `local`, elsewhere it submits and waits.

    >>> from pyspeedup.core.testing.engines import NamedCall
    >>> double = NamedCall(engine, lambda number: 2 * number)  # doctest: +SKIP
    >>> double(4)  # doctest: +SKIP
    8
    """

    def __init__(self, engine: Engine, function: Callable[..., Any]) -> None:
        self.engine = engine
        self.__name__ = function.__name__
        self.number = engine.define(function, function.__name__)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the call, here if this is an evaluation already."""
        local = self.engine.local(self.number)
        if local is not None:
            return local(*args, **kwargs)
        return self.submit(*args, **kwargs).result(PATIENCE)

    def submit(self, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begin the call elsewhere."""
        return self.engine.submit(self.number, args, kwargs)

    def apply_async(self, *args: Any, **kwargs: Any) -> None:
        """Hint that the call will be wanted."""
        local = self.engine.local(self.number)
        if local is not None:
            local.apply_async(*args, **kwargs)
        else:
            self.submit(*args, **kwargs)

    def batch_async(self, *calls: tuple[Any, ...]) -> None:
        """Hint that each of the calls will be wanted."""
        local = self.engine.local(self.number)
        if local is not None:
            local.batch_async(*calls)
        else:
            for call in calls:
                self.submit(*call)

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        """Arrive in another process as what the engine there binds the name to, or refuses."""
        return _unbound, (self.__name__,)


class EngineContract:
    """What `Engine` promises, as tests. Override `make_engine`, best with two workers.

    `make_callable` gives what stands for a function's own name; an engine that travels to other
    processes may need its own kind there.

    >>> from pyspeedup.core.testing import EngineContract
    >>> class TestMyEngine(EngineContract):
    ...     def make_engine(self):
    ...         return MyEngine(workers=2)
    """

    def make_engine(self) -> Engine:
        """Return the engine to be tried; it is closed after the test."""
        raise NotImplementedError

    def make_callable(self, engine: Engine, function: Callable[..., Any]) -> Any:
        """Return what `function`'s own name is to mean: callable, with the two hints."""
        return NamedCall(engine, function)

    @pytest.fixture
    def engine(self) -> Iterator[Engine]:
        """Make an engine for one test, and close it."""
        made = self.make_engine()
        yield made
        made.close()

    def test_has_the_methods_of_the_protocol(self, engine: Engine) -> None:
        """An engine has all of the protocol's methods, and at least one worker."""
        assert isinstance(engine, Engine)
        assert engine.workers >= 1

    def test_starts_nothing_before_the_first_call(self, engine: Engine) -> None:
        """Making an engine and defining a function starts no process and no thread."""
        before = set(child_processes()), set(threading.enumerate())
        engine.define(_power, "_power")
        self.make_engine().close()
        assert (set(child_processes()), set(threading.enumerate())) == before

    def test_returns_what_the_function_returns(self, engine: Engine) -> None:
        """A call's future brings its value, None included."""
        number = engine.define(_echo, "_echo")
        for value in (None, 0, "text", [1, {"a": (2.5, b"bytes")}], b"x" * 3_000_000):
            assert _result(engine, number, value) == value

    def test_passes_keyword_arguments(self, engine: Engine) -> None:
        """Arguments arrive by position, by name, and by default."""
        number = engine.define(_power, "_power")
        assert engine.submit(number, (3,), {}).result(PATIENCE) == _power(3)
        assert engine.submit(number, (3, 4), {}).result(PATIENCE) == _power(3, 4)
        by_name = {"exponent": 3, "base": 2}
        assert engine.submit(number, (), by_name).result(PATIENCE) == _power(**by_name)

    def test_keeps_functions_apart(self, engine: Engine) -> None:
        """Each number means the function that it was given for, whatever their names."""
        doubled = engine.define(lambda number: 2 * number, "scaled")
        tripled = engine.define(lambda number: 3 * number, "scaled")
        assert [_result(engine, doubled, 5), _result(engine, tripled, 5)] == [10, 15]

    def test_takes_closures(self, engine: Engine) -> None:
        """A function brings the variables that it closes over."""
        offset = [1000]

        def shifted(value: int) -> int:
            return value + offset[0]

        assert _result(engine, engine.define(shifted, "shifted"), 7) == shifted(7)

    def test_answers_many_calls(self, engine: Engine) -> None:
        """Hundreds of calls can be under way, and each gets its own answer."""
        number = engine.define(_power, "_power")
        futures = [engine.submit(number, (base,), {}) for base in range(500)]
        assert [future.result(PATIENCE) for future in futures] == [n * n for n in range(500)]

    def test_answers_several_threads(self, engine: Engine) -> None:
        """Threads that submit at the same time get their own answers."""
        number, answers = engine.define(_power, "_power"), {}

        def submit_from(start: int) -> None:
            answers[start] = [_result(engine, number, start + step) for step in range(20)]

        threads = [threading.Thread(target=submit_from, args=(100 * n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        expected = {100 * n: [(100 * n + step) ** 2 for step in range(20)] for n in range(4)}
        assert answers == expected

    def test_errors_keep_type_message_and_traceback(self, engine: Engine) -> None:
        """An error arrives as it was raised, and shows where that was."""
        number = engine.define(_fail_from_afar, "_fail_from_afar")
        for _ in range(2):
            with pytest.raises(LookupError, match="no such thing: 'spam'") as caught:
                _result(engine, number, "spam")
            assert type(caught.value) is LookupError
            shown = "".join(traceback.format_exception(caught.value))
            assert "_fail_from_afar" in shown, f"the traceback does not show the function:\n{shown}"
        assert _result(engine, engine.define(_power, "_power"), 3) == _power(3)

    def test_errors_keep_attributes(self, engine: Engine) -> None:
        """An error arrives with what was set on it."""
        number = engine.define(_fail_with_attributes, "_fail_with_attributes")
        with pytest.raises(FileNotFoundError) as caught:
            _result(engine, number, "missing.txt")
        assert (caught.value.errno, caught.value.filename) == (2, "missing.txt")
        assert getattr(caught.value, "colour", None) == "red"

    def test_wrong_arguments_are_a_type_error(self, engine: Engine) -> None:
        """A call that the function does not take fails as it would by itself."""
        number = engine.define(_power, "_power")
        with pytest.raises(TypeError, match="argument"):
            engine.submit(number, (1, 2, 3), {}).result(PATIENCE)

    def test_what_cannot_travel_does_not_hang(self, engine: Engine) -> None:
        """A result that cannot leave where it was made is an error; no later call suffers."""
        number = engine.define(_make_generator, "_make_generator")
        error = engine.submit(number, (), {}).exception(PATIENCE)
        assert error is None or isinstance(error, Exception)
        assert _result(engine, engine.define(_power, "_power"), 3) == _power(3)

    def test_a_global_name_means_the_function_where_it_is_evaluated(self, engine: Engine) -> None:
        """A recursive function that refers to itself by a global name is answered."""
        namespace: dict[str, Any] = {"__builtins__": __builtins__, "__name__": "not_importable"}
        function = FunctionType(_fibonacci.__code__, namespace, "_fibonacci")
        namespace["_fibonacci"] = self.make_callable(engine, function)
        assert namespace["_fibonacci"](15) == _fibonacci(15)

    def test_a_closed_over_name_means_the_function_where_it_is_evaluated(
        self, engine: Engine
    ) -> None:
        """A recursive function that refers to itself by a closure is answered."""
        assert self._make_hinting_fibonacci(engine)(12) == _fibonacci(12)

    def test_nested_calls_with_hints_from_several_callers(self, engine: Engine) -> None:
        """Recursive calls that hint at one another never wait for one another for ever."""
        fibonacci = self._make_hinting_fibonacci(engine)
        for number in range(12):
            fibonacci.apply_async(number)
        fibonacci.batch_async(*((number,) for number in range(12)))
        assert [fibonacci(number) for number in range(8)] == [*map(_fibonacci, range(8))]

    def test_errors_of_nested_calls_arrive(self, engine: Engine) -> None:
        """An error deep in a recursion arrives at the top."""

        def countdown(number: int) -> int:
            if number == 0:
                raise ZeroDivisionError("all the way down")
            return int(countdown(number - 1))

        countdown = self.make_callable(engine, countdown)
        with pytest.raises(ZeroDivisionError, match="all the way down"):
            countdown(5)

    def test_nothing_is_local_outside_of_evaluations(self, engine: Engine) -> None:
        """`local` answers None where nothing is evaluated, before and after calls."""
        number = engine.define(_power, "_power")
        assert engine.local(number) is None
        assert _result(engine, number, 3) == _power(3)
        assert engine.local(number) is None

    def test_forgotten_results_are_computed_again(self, engine: Engine, tmp_path: Path) -> None:
        """After `forget` a call is evaluated again."""
        log = tmp_path / "log"
        number = engine.define(_log_call, "_log_call")
        assert _result(engine, number, str(log)) == "done"
        before = len(log.read_text())
        engine.forget(number)
        assert _result(engine, number, str(log)) == "done"
        assert len(log.read_text()) > before

    def test_never_has_more_children_than_workers_and_one(self, engine: Engine) -> None:
        """However many calls are under way, the processes stay few."""
        before = set(child_processes())
        number = engine.define(_power, "_power")
        futures = [engine.submit(number, (base,), {}) for base in range(200)]
        started = set(child_processes()) - before
        assert len(started) <= engine.workers + 1, f"{len(started)} for {engine.workers} workers"
        assert sum(future.result(PATIENCE) for future in futures) == sum(n * n for n in range(200))

    def test_close_leaves_no_process_and_may_come_again(self) -> None:
        """After `close` every process and thread of the engine ends; a second one is harmless."""
        processes, threads = set(child_processes()), set(threading.enumerate())
        engine = self.make_engine()
        assert _result(engine, engine.define(_power, "_power"), 3) == _power(3)
        engine.close()
        engine.close()
        assert wait_for_processes(set(child_processes()) - processes, PATIENCE)
        for thread in set(threading.enumerate()) - threads:
            thread.join(PATIENCE)
            assert not thread.is_alive(), f"{thread.name} is still there"

    def test_closed_engines_refuse_calls(self) -> None:
        """`submit` after `close` is a `RuntimeError`."""
        engine = self.make_engine()
        number = engine.define(_power, "_power")
        engine.close()
        with pytest.raises(RuntimeError):
            engine.submit(number, (3,), {})

    def test_close_leaves_no_caller_waiting(self) -> None:
        """Calls that were queued at `close` are answered or dropped, but do not hang."""
        engine = self.make_engine()
        number = engine.define(_power, "_power")
        futures = [engine.submit(number, (base,), {}) for base in range(300)]
        engine.close()
        for future in futures:
            with contextlib.suppress(CancelledError):
                future.exception(PATIENCE)

    # Batches, for engines that take them -------------------------------------------------------

    def test_a_batch_brings_the_values_in_order(self, engine: Engine) -> None:
        """Each call of a batch has its value, at its place."""
        submit_batch = _batches_of(engine)
        number = engine.define(_power, "_power")
        batch = submit_batch(number, [(base,) for base in range(100)]).result(PATIENCE)
        assert batch.values == [base**2 for base in range(100)]
        assert batch.error is None
        assert batch.seconds >= 0
        assert submit_batch(number, [(3, 4), (2,)]).result(PATIENCE).values == [81, 4]

    def test_a_batch_ends_at_the_first_error(self, engine: Engine) -> None:
        """Values before an error stay, and nothing after it is evaluated."""
        number = engine.define(_invert, "_invert")
        batch = _batches_of(engine)(number, [(4,), (2,), (0,), (1,)]).result(PATIENCE)
        assert batch.values == [0.25, 0.5]
        assert isinstance(batch.error, ZeroDivisionError)

    def test_a_batch_may_be_empty(self, engine: Engine) -> None:
        """No calls have no values."""
        batch = _batches_of(engine)(engine.define(_power, "_power"), []).result(PATIENCE)
        assert (batch.values, batch.error) == ([], None)

    def test_a_batch_of_nested_calls_is_answered(self, engine: Engine) -> None:
        """Calls of a batch may make calls in turn."""
        submit_batch = _batches_of(engine)
        fibonacci = self._make_hinting_fibonacci(engine)
        assert fibonacci(3) == _fibonacci(3)
        number = self.number_of(fibonacci)
        batch = submit_batch(number, [(n,) for n in range(10)]).result(PATIENCE)
        assert batch.values == [_fibonacci(n) for n in range(10)]

    def test_a_batch_of_a_closed_engine_is_refused(self) -> None:
        """`submit_batch` after `close` is a `RuntimeError`."""
        engine = self.make_engine()
        submit_batch, number = _batches_of(engine), engine.define(_power, "_power")
        engine.close()
        with pytest.raises(RuntimeError):
            submit_batch(number, [(3,)])

    # Calls that are not wanted any more, and those that several want --------------------------

    def test_what_is_cancelled_before_it_began_is_not_evaluated(
        self, engine: Engine, tmp_path: Path
    ) -> None:
        """Cancelling a queued call or batch takes it out; what is wanted besides goes on."""
        holding, holders = self._hold_all_workers(engine, tmp_path)
        number = engine.define(_log_call, "_log_call")
        logs = [str(tmp_path / f"log {n}") for n in range(4)]
        queued = [engine.submit(number, (log,), {}) for log in logs[:3]]
        if hasattr(engine, "submit_batch"):
            queued.append(engine.submit_batch(number, [(logs[3],)]))
        kept = queued.pop(1)
        dropped = [future.cancel() for future in queued]
        holding.unlink()
        assert [holder.result(PATIENCE) for holder in holders] == ["held"] * len(holders)
        assert kept.result(PATIENCE) == "done"
        assert _result(engine, engine.define(_power, "_power"), 3) == _power(3)
        for future, was_dropped, log in zip(queued, dropped, [logs[0], *logs[2:]], strict=False):
            assert future.cancelled() == was_dropped
            assert Path(log).exists() != was_dropped

    def test_one_of_two_who_want_a_call_may_cancel(self, engine: Engine, tmp_path: Path) -> None:
        """The other one is answered."""
        holding, holders = self._hold_all_workers(engine, tmp_path)
        number = engine.define(_power, "_power")
        first, second = (engine.submit(number, (3,), {}) for _ in range(2))
        first.cancel()
        holding.unlink()
        assert second.result(PATIENCE) == _power(3)
        assert all(holder.result(PATIENCE) == "held" for holder in holders)

    def test_what_takes_long_is_evaluated_once(self, engine: Engine, tmp_path: Path) -> None:
        """Calls that need what another worker has been computing for a while wait for it."""
        holding, begun = tmp_path / "holding", tmp_path / "begun"
        holding.touch()
        here = os.getpid(), threading.get_ident()

        def slow(path: str) -> str:
            return _hold(path, str(holding), *here)

        slow = self.make_callable(engine, slow)

        def needs(n: int, path: str) -> tuple[int, str]:
            slow.apply_async(path)  # type: ignore[attr-defined]  # rebound above
            return n, slow(path)

        needs = self.make_callable(engine, needs)
        first = engine.submit(self.number_of(slow), (str(begun),), {})
        _wait_for(begun.exists)
        time.sleep(0.2)  # for the engine to take notice
        others = [engine.submit(self.number_of(needs), (n, str(begun)), {}) for n in range(4)]
        time.sleep(0.1)
        holding.unlink()
        assert first.result(PATIENCE) == "held"
        assert [other.result(PATIENCE) for other in others] == [(n, "held") for n in range(4)]
        assert begun.read_text() == "begun\n"

    def number_of(self, function: Any) -> int:
        """Return the number that the engine knows what `make_callable` returned by."""
        number: int = function.number
        return number

    def _hold_all_workers(self, engine: Engine, tmp_path: Path) -> tuple[Path, list[Future[Any]]]:
        """Keep all workers busy until the file is unlinked that is returned with their futures."""
        holding = tmp_path / "holding"
        holding.touch()
        number = engine.define(_hold, "_hold")
        begun = [tmp_path / f"begun {n}" for n in range(engine.workers)]
        here = os.getpid(), threading.get_ident()
        holders = [engine.submit(number, (str(b), str(holding), *here), {}) for b in begun]
        _wait_for(lambda: all(b.exists() for b in begun))
        return holding, holders

    def _make_hinting_fibonacci(self, engine: Engine) -> Any:
        def fibonacci(number: int) -> int:
            if number <= 1:
                return number
            fibonacci.apply_async(number - 1)  # type: ignore[attr-defined]  # rebound below
            fibonacci.batch_async((number - 1,), (number - 2,))  # type: ignore[attr-defined]  # rebound below
            return int(fibonacci(number - 1) + fibonacci(number - 2))

        fibonacci = self.make_callable(engine, fibonacci)
        return fibonacci


def _unbound(name: str) -> Callable[..., Any]:
    def refuse(*_args: Any, **_kwargs: Any) -> Any:
        raise NameError(f"the engine left {name!r} unbound where it evaluates the function")

    return refuse


def _result(engine: Engine, number: int, *args: Any) -> Any:
    return engine.submit(number, args, {}).result(PATIENCE)


def _batches_of(engine: Engine) -> Callable[..., Future[Any]]:
    submit_batch: Callable[..., Future[Any]] | None = getattr(engine, "submit_batch", None)
    if submit_batch is None:
        pytest.skip("this engine takes no batches")
    return submit_batch


def _wait_for(condition: Callable[[], bool]) -> None:
    patience = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < patience, "it takes too long"
        time.sleep(0.005)


def _hold(begun: str, holding: str, pid: int, thread: int) -> str:
    """Tell that it has begun, and stay until it may go; but never hold up the caller's own thread."""
    with Path(begun).open("a") as log:
        log.write("begun\n")
    if (os.getpid(), threading.get_ident()) != (pid, thread):
        _wait_for(lambda: not Path(holding).exists())
    return "held"


def _invert(number: int) -> float:
    return 1 / number


def _echo(value: Any) -> Any:
    return value


def _power(base: int, exponent: int = 2) -> int:
    return int(base**exponent)


def _fibonacci(number: int) -> int:
    return number if number <= 1 else _fibonacci(number - 1) + _fibonacci(number - 2)


def _fail_from_afar(thing: str) -> None:
    raise LookupError(f"no such thing: {thing!r}")


def _fail_with_attributes(name: str) -> None:
    error = FileNotFoundError(2, "not there", name)
    error.colour = "red"  # type: ignore[attr-defined]  # any attribute is to travel
    raise error


def _make_generator() -> Iterator[int]:
    return (number for number in range(3))


def _log_call(path: str) -> str:
    with Path(path).open("a") as log:
        log.write("called\n")
    return "done"
