"""The engine that computes at once, in the caller: the yardstick for the others."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from pyspeedup.concurrent._caching.batches import evaluate_batch
from pyspeedup.concurrent._caching.calls import Key, Normalizer
from pyspeedup.concurrent._caching.costs import Costs
from pyspeedup.concurrent._caching.local import Memory, fill, shell
from pyspeedup.core import FunctionStats

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pyspeedup.core import Batch, LocalFunction

__all__ = ["Serial"]


class _EmptyDesk:
    """Nobody else is there, so hints come to nothing."""

    flag = (0,)

    def enter(self, _memory: Memory, _key: Key, /) -> None:
        return None

    def leave(self, _memory: Memory, _key: Key, _claim: Any, _value: Any, /) -> None:
        return None

    def fail(self, _memory: Memory, _key: Key, _claim: Any, /) -> None:
        return None

    has_room = False

    def note(self, _memory: Memory, _key: Key, /) -> None:
        return None

    def note_lot(self, _memory: Memory, _calls: Any, _key_of: Any, /) -> None:
        return None

    def look(self) -> None:
        return None


class _Depth(threading.local):
    """How many evaluations this thread is inside of."""

    evaluations = 0


class _Function:
    """A function, what its name means in an evaluation, and what is remembered of it."""

    def __init__(self, function: Callable[..., Any], memory: Memory) -> None:
        self.function = function
        self.local: Any = shell()
        self.seconds = 0.0
        self.begin(memory)

    def begin(self, memory: Memory) -> None:
        """Remember in `memory`; calls under way keep to the former one."""
        self.memory = memory
        self.seconds = 0.0
        fill(self.local, self.function, memory, _EmptyDesk(), Normalizer(self.function))


class Serial:
    """Computes each call before `submit` returns; needs no process and no thread.

    Right for debugging, for functions so small that a worker only slows them, and wherever
    processes are not to be had. Sub-results are remembered; recursion is as deep as the
    interpreter's limit allows.

    >>> engine = Serial()
    >>> number = engine.define(lambda n: n * n, "square")
    >>> engine.submit(number, (7,), {}).result()
    49
    """

    evaluates_here = True

    def __init__(self) -> None:
        """Start with no function."""
        self._functions: WeakValueDictionary[int, _Function] = WeakValueDictionary()
        self._kept: dict[int, _Function] = {}
        """Those that nobody holds."""
        self._numbers = itertools.count(1)
        self._depth = _Depth()
        self._closed = False

    @property
    def workers(self) -> int:
        """One: the caller.

        >>> Serial().workers
        1
        """
        return 1

    def define(
        self,
        function: Callable[..., Any],
        name: str,
        structure: Any = None,  # noqa: ARG002 -- of use to engines that ship functions
    ) -> int:
        """Take `function` in, in 0.2 ms; return its number.

        >>> Serial().define(abs, "abs")
        1
        """
        number = next(self._numbers)
        memory = Memory(number, name, costs=Costs.of_no_interest())
        self._functions[number] = self._kept[number] = _Function(function, memory)
        return number

    def hold(self, function_id: int) -> object:
        """Return what a function is known by from now on: once that is garbage, so is the function.

        >>> engine = Serial()
        >>> held = engine.hold(engine.define(abs, "abs"))
        """
        return self._kept.pop(function_id, None) or self._functions[function_id]

    def submit(
        self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Future[Any]:
        """Compute the call now; the future is done. `RuntimeError` after `close`.

        >>> engine = Serial()
        >>> engine.submit(engine.define(divmod, "divmod"), (7, 2), {}).result()
        (3, 1)
        """
        return self._compute(function_id, lambda: self._evaluate(function_id, args, kwargs))

    def submit_batch(self, function_id: int, calls: Sequence[tuple[Any, ...]]) -> Future[Batch]:
        """Compute several calls now, up to the first error; the future is done.

        >>> engine = Serial()
        >>> engine.submit_batch(engine.define(divmod, "divmod"), [(7, 2), (9, 2)]).result().values
        [(3, 1), (4, 1)]
        """

        def evaluate(*args: Any) -> Any:
            return self._evaluate(function_id, args, {})

        return self._compute(function_id, lambda: evaluate_batch(evaluate, calls))

    def stats(self, function_id: int) -> FunctionStats:
        """Return how many calls were computed, and how long those took that were submitted.

        >>> engine = Serial()
        >>> engine.stats(engine.define(abs, "abs")).calls
        0
        """
        function = self._functions[function_id]
        return FunctionStats(calls=len(function.memory.values), seconds=function.seconds)

    def _compute(self, function_id: int, compute: Callable[[], Any]) -> Future[Any]:
        if self._closed:
            raise RuntimeError("this engine is closed; make another one")
        future: Future[Any] = Future()
        begun, is_outermost = time.perf_counter(), not self._depth.evaluations
        self._depth.evaluations += 1
        try:
            future.set_result(compute())
        except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
            future.set_exception(error)
        finally:
            self._depth.evaluations -= 1
            function = self._functions.get(function_id)
            if is_outermost and function is not None:  # else nobody will ask any more
                function.seconds += time.perf_counter() - begun
        return future

    def _evaluate(self, function_id: int, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        known = self._functions[function_id]
        try:
            hash((args, *kwargs.values()))
        except TypeError:  # what can't be remembered can be computed
            return known.function(*args, **kwargs)
        return known.local(*args, **kwargs)

    def local(self, function_id: int) -> LocalFunction | None:
        """Return the memoized function inside an evaluation, None outside, in O(1).

        >>> engine = Serial()
        >>> engine.local(engine.define(abs, "abs")) is None
        True
        """
        return self._functions[function_id].local if self._depth.evaluations else None

    def forget(self, function_id: int) -> None:
        """Drop what is remembered of a function.

        >>> engine = Serial()
        >>> engine.forget(engine.define(abs, "abs"))
        """
        known = self._functions[function_id]
        known.begin(Memory(function_id, known.memory.name, costs=known.memory.costs))

    def close(self) -> None:
        """Refuse further calls; again is harmless.

        >>> Serial().close()
        """
        self._closed = True
