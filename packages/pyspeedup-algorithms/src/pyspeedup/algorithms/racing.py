"""Factoring as a race: each method in a process of its own, and the first that finds a divisor wins.

A composite is raced for by as many methods as there are workers; one that gives up makes room for the next.
When one finds a divisor the others are ended, and what is still composite is raced for in turn. C
code hears no interrupt, so ending a method means ending its process: that is what a Buffer's is for.
"""

from __future__ import annotations

import functools
import math
import queue
import threading
import time
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.algorithms import _kernels, splitting
from pyspeedup.algorithms._progress import make_bar
from pyspeedup.algorithms._splitting import trial
from pyspeedup.algorithms.errors import FactorTimeout, NotFactored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Self

    from pyspeedup.concurrent import Buffer

__all__ = ["METHODS", "race"]

METHODS: Final = ("flint", "siqs", "ecm", "pollard_rho", "pollard_pm1", "fermat_factor")
"""What can be named."""
USUAL: Final = ("flint", "ecm", "siqs", "pollard_rho")
"""What races where nothing is named; the first is passed over without its library."""
SMALL: Final = 1000
"""Primes below it are divided by before any process is started."""


def race(
    n: int,
    *,
    timeout: float | None,
    workers: int | None,
    methods: Sequence[str] | None,
    progress: bool,
) -> dict[int, int]:
    """Return the primes that divide the positive `n`, with their powers; see `factorint`."""
    chosen = _checked_methods(methods)
    at_once = _checked_workers(workers)
    seconds = _checked_timeout(timeout)
    with ExitStack() as stack:
        show: Callable[[int], Any] = _show_nothing
        if progress:
            bar = make_bar(n.bit_length(), f"factoring {n.bit_length()} bits", " bits")
            stack.callback(bar.close)
            show = bar.update
        return _Race(n, chosen, at_once, seconds, show).run()


def _checked_methods(methods: Sequence[str] | None) -> tuple[str, ...]:
    if methods is None:
        return tuple(name for name in USUAL if name != "flint" or _kernels.is_there("flint"))
    if isinstance(methods, str):
        raise TypeError(f"methods must be a sequence of names, such as [{methods!r}]")
    for name in methods:
        if name not in METHODS:
            raise ValueError(f"there is no method {name!r}: choose from {', '.join(METHODS)}")
        if name == "flint" and not _kernels.is_there("flint"):
            raise ValueError(
                "method 'flint' needs python-flint: pip install 'pyspeedup-algorithms[flint]'"
            )
    if not methods:
        raise ValueError(f"methods must name at least one of {', '.join(METHODS)}")
    return tuple(methods)


def _checked_workers(workers: int | None) -> int:
    from pyspeedup.concurrent.engines.processes import Processes

    return Processes(workers=workers).workers


def _checked_timeout(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout must be None or a number of seconds, not {timeout!r}")
    if not timeout >= 0:  # nor is it if it is no number
        raise ValueError(f"timeout must be a number of seconds from 0 up, not {timeout}")
    return None if timeout > threading.TIMEOUT_MAX else timeout


def _show_nothing(_bits: int) -> None:
    """Stand for a bar."""


class _Race:
    """How far it has come."""

    def __init__(
        self,
        n: int,
        methods: tuple[str, ...],
        at_once: int,
        timeout: float | None,
        show: Callable[[int], Any],
    ) -> None:
        self._n = n
        self._methods = methods
        self._at_once = at_once
        self._timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._show = show
        self._found: Counter[int] = Counter()
        self._composites: list[int] = []
        """What is left; the last of them is raced for."""

    def run(self) -> dict[int, int]:
        small, rest = trial.divide_out(self._n, SMALL)
        for p in small:
            self._take(p)
        self._take(rest)
        while self._composites:
            for divisor in self._contest(self._composites.pop()):
                self._take(divisor)
        return dict(sorted(self._found.items()))

    def _take(self, n: int) -> None:
        if n == 1:
            return
        if _kernels.is_prime(n):
            self._found[n] += 1
            self._show(n.bit_length())
        else:
            self._composites.append(n)

    def _contest(self, n: int) -> list[int]:
        """Return divisors whose product is the composite `n`, by whichever method finds them first."""
        waiting, running = list(self._methods), 0
        with _Runners(n) as runners:
            while True:
                while waiting and running < self._at_once:
                    runners.start(waiting.pop(0))
                    running += 1
                if not running:
                    raise NotFactored(self._n, dict(self._found), self._left(n), self._methods)
                divisors = self._wait(runners, n)
                running -= 1
                if divisors:
                    return divisors

    def _wait(self, runners: _Runners, n: int) -> list[int]:
        left = None if self._deadline is None else self._deadline - time.monotonic()
        try:
            return runners.next_outcome(left)
        except queue.Empty:
            assert self._timeout is not None  # noqa: S101 -- nothing else ends the waiting
            raise FactorTimeout(
                self._n, dict(sorted(self._found.items())), self._left(n), self._timeout
            ) from None

    def _left(self, n: int) -> int:
        return math.prod((n, *self._composites))


class _Runners:
    """The processes of one contest, and a thread for each that waits for what it says."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._buffers: list[Buffer[list[int]]] = []
        self._threads: list[threading.Thread] = []
        self._news: queue.SimpleQueue[list[int] | BaseException] = queue.SimpleQueue()

    def start(self, method: str) -> None:
        from pyspeedup.concurrent import Buffer

        buffer: Buffer[list[int]] = Buffer(functools.partial(_search, method, self._n), 1)
        self._buffers.append(buffer)
        self._begin(self._listen, buffer)

    def _listen(self, buffer: Buffer[list[int]]) -> None:
        try:
            self._news.put(next(iter(buffer), []))
        except BaseException as error:  # noqa: BLE001 -- it is for whoever waits for the news
            self._news.put(error)

    def next_outcome(self, seconds: float | None) -> list[int]:
        """Return the divisors that some method found, none if it gave up; `queue.Empty` if that takes too long."""
        outcome = self._news.get(timeout=None if seconds is None else max(0.0, seconds))
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End them all at the same time: each has a moment to clean up, which C code does not use."""
        for buffer in self._buffers:
            self._begin(buffer.close)
        for thread in self._threads:
            thread.join()

    def _begin(self, target: Callable[..., None], *args: Any) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)


def _search(method: str, n: int) -> Iterator[list[int]]:
    """Yield divisors whose product is `n`, found by a method; nothing if it gives up."""
    if method == "flint":
        yield [p for p, power in _kernels.factor(n) for _ in range(power)]
        return
    divisor = getattr(splitting, method)(n)
    if divisor is not None:
        yield [divisor, n // divisor]
