"""What runs on a worker of the cluster: the evaluation of one call, or of a batch."""

from __future__ import annotations

import pickle
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from pyspeedup.dask._here import here
from pyspeedup.dask._homes import find_home, find_stay, known_home
from pyspeedup.dask._outcome import Outcome
from pyspeedup.dask._packing import loads
from pyspeedup.dask._task import Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.dask._homes import Home
    from pyspeedup.dask._sending import Call, Header

__all__ = ["evaluate", "home_in"]


def evaluate(call: bytes, *, header: bytes, payload: bytes) -> Outcome:
    """Be a task: compute a call of the function that `payload` is, and return what came of it."""
    from distributed import get_worker

    told: Call = pickle.loads(call)
    common: Header = pickle.loads(header)
    stay = find_stay(common.token)
    task = Task(common, str(get_worker().get_current_task()), told)
    before, here.task = here.task, task
    try:
        outcome = (
            _compute_batch(task, told, payload) if told.is_batch else _compute(task, told, payload)
        )
    finally:
        here.task = before
    outcome.root = told.root
    outcome.own_seconds = task.own_seconds()
    outcome.holds = (*task.made_from, stay)
    return outcome


def _compute(task: Task, call: Call, payload: bytes) -> Outcome:
    def compute() -> Any:
        home = _arrive(task, payload)
        args, kwargs = loads(call.arguments, task.header.token)
        return task.compute(home, args, kwargs)

    return Outcome.of(compute, task.header.name, time.perf_counter)


def _compute_batch(task: Task, call: Call, payload: bytes) -> Outcome:
    def compute(packed: bytes) -> Any:
        home = _arrive(task, payload)
        args, kwargs = loads(packed, task.header.token)
        return task.compute(home, args, kwargs)

    computations = (partial(compute, packed) for packed in pickle.loads(call.arguments))
    return Outcome.of_batch(computations, task.header.name, time.perf_counter)


def _arrive(task: Task, payload: bytes) -> Home:
    """Return the home of the function that a task came with, in the form that came."""
    header = task.header
    home = find_home(header.token, header.digest, header.name, binding=header.binding)
    generation = task.generation_of(header.digest)
    if home.function is None or home.generation.number < generation.number:
        loads(payload, header.token)
        home.packed, home.holder = payload, None
    if header.seconds is not None:
        home.hear(header.seconds)
    _forget_what_is_past(task)
    return home


def _forget_what_is_past(task: Task) -> None:
    """Have the other functions begin the memories that this task knows of."""
    for digest in task.header.generations:
        home = known_home(task.header.token, digest)
        if home is not None:
            home.move_to(task.generation_of(digest))


def home_in(
    task: Task, digest: str, function: Callable[..., Any], name: str, *, binding: Binding
) -> Home:
    """Return the home of a function that this process has got otherwise, as with a module."""
    home = find_home(task.header.token, digest, name, binding=binding)
    home.fill(function, task.generation_of(digest))
    return home
