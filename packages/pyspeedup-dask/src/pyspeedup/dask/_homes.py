"""A function where it is evaluated: what its name means there, what it remembers, what its calls cost.

One home a function, engine and process. It remembers as long as somebody has reason to: an evaluation, or
a result that the cluster keeps for the engine, each of which holds the engine's `Stay` in this process.
So what is remembered goes with the engine, whatever ends that, and at once: a home and its function
refer to each other, and would wait for the garbage collector, while the cluster kept what they hold.
"""

from __future__ import annotations

import functools
import sys
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pyspeedup.concurrent._caching.calls import Normalizer, as_call
from pyspeedup.concurrent._caching.local import LocalMethod
from pyspeedup.concurrent._caching.nested import map_here, submit_here
from pyspeedup.dask._here import here

if TYPE_CHECKING:
    import types
    from collections.abc import Callable

    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.concurrent._caching.calls import Key

__all__ = [
    "FIRST_GENERATION",
    "UNKNOWN",
    "Generation",
    "Home",
    "Stay",
    "find_home",
    "find_stay",
    "known_home",
]

SWIFTEST_CHANGE = 0.1
"""How much of the mean is made by the last call, at least, so that it follows what happens now."""


class Generation(NamedTuple):
    """Which memory of a function: a later one has forgotten what an earlier one knew."""

    number: int
    name: str
    """Part of the keys: "" at first, then like no other, for others need not have forgotten."""


FIRST_GENERATION = Generation(0, "")


UNKNOWN: Final = object()
"""What `Task.enter` returns where a call is to be computed on the spot."""


class Home:
    """See the module."""

    def __init__(self, token: str, digest: str, name: str, *, binding: Binding) -> None:
        """Have a meaning that does nothing yet, so that functions can refer to it before it is filled."""
        self.token = token
        self.digest = digest
        self.name = name
        self.local: Any = _memoized(self)
        self.meaning: Any = LocalMethod(self.local, binding) if binding else self.local
        self.binding = binding
        self.function: Any = None
        self.normalize: Any = None
        self.generation = FIRST_GENERATION
        self.memory: dict[Key, Any] = {}
        """Of this generation; a call keeps to the one that it began with."""
        self.packed: bytes | None = None
        """The function as it came, to be sent on."""
        self.holder: Any = None
        """A future of the cluster that stands for `packed`, where that is large."""
        self.seconds = 0.0
        """What a call takes by itself, on the mean."""
        self.calls = 0
        self.is_known = False
        """Whether anything is known of what a call takes."""

    def fill(self, function: Callable[..., Any], generation: Generation) -> None:
        """Answer for `function` from now on, unless it is known in this or a later form."""
        with _lock:
            if self.function is not None and generation.number <= self.generation.number:
                return
            functools.update_wrapper(self.local, function)
            _rebind_own_name(function, self.meaning)
            self.memory, self.generation = {}, generation
            self.normalize = Normalizer(function)
            self.function = function  # last, since other threads take it to be ready then

    def move_to(self, generation: Generation) -> None:
        """Forget, if `generation` is later than the one that is remembered."""
        with _lock:
            if generation.number > self.generation.number:
                self.memory, self.generation = {}, generation

    def let_go(self) -> None:
        """Remember nothing, and hold nothing of the cluster's; it can be used on."""
        with _lock:
            self.memory = {}
            self.packed = self.holder = None

    def compute(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Answer a call here; what cannot be remembered is computed all the same."""
        try:
            hash((args, *kwargs.values()))
        except TypeError:
            return self.function(*args, **kwargs)
        return self.local(*args, **kwargs)

    def learn(self, seconds: float) -> None:
        """Take in what one more call took by itself."""
        self.calls += 1
        self.is_known = True
        self.seconds += (seconds - self.seconds) * max(1 / self.calls, SWIFTEST_CHANGE)

    def hear(self, seconds: float) -> None:
        """Take in what others say that a call takes by itself, unless it was seen here."""
        if self.calls == 0:
            self.seconds, self.is_known = seconds, True

    def is_heavy(self, threshold: float) -> bool:
        """Tell whether a call is worth a task of its own, as far as is known."""
        return self.seconds >= threshold


class Stay:
    """An engine's presence in this process: when nobody holds it any more, its homes end.

    >>> stay = find_stay("an engine")
    >>> home = find_home("an engine", "digest", "square", binding="")
    >>> home.memory["7"] = 49
    >>> del stay
    >>> home.memory
    {}
    """

    def __init__(self) -> None:
        """Have no home yet."""
        self.homes: set[Home] = set()
        weakref.finalize(self, _end_all, self.homes).atexit = False


def _end_all(homes: set[Home]) -> None:
    for home in homes:
        home.let_go()
        _homes.pop((home.token, home.digest), None)  # whoever comes next brings all along again


_homes: weakref.WeakValueDictionary[tuple[str, str], Home] = weakref.WeakValueDictionary()
_stays: weakref.WeakValueDictionary[str, Stay] = weakref.WeakValueDictionary()
_lock = threading.RLock()


def find_stay(token: str) -> Stay:
    """Return an engine's presence in this process, which begins now if there is none."""
    with _lock:
        stay = _stays.get(token)
        if stay is None:
            stay = _stays[token] = Stay()
        return stay


def find_home(token: str, digest: str, name: str, *, binding: Binding) -> Home:
    """Return the home of a function in this process, made now if there is none, in O(1)."""
    with _lock:
        home = _homes.get((token, digest))
        if home is None:
            home = _homes[token, digest] = Home(token, digest, name, binding=binding)
        stay = _stays.get(token)
        if stay is not None:  # none where a result is read in the program
            stay.homes.add(home)
        return home


def known_home(token: str, digest: str) -> Home | None:
    """Return the home of a function in this process, None if there is none."""
    return _homes.get((token, digest))


def _memoized(home: Home) -> types.FunctionType:
    """Return what a function's name means where it is evaluated: asks memory, the task, the function."""

    def memoized(*args: Any, **kwargs: Any) -> Any:
        memory, key = home.memory, home.normalize(args, kwargs)
        value = memory.get(key, UNKNOWN)
        if value is not UNKNOWN:
            return value
        task = here.task
        if task is None:  # in a thread that the function made
            return home.function(*args, **kwargs)
        value = task.enter(home, memory, key)
        if value is not UNKNOWN:
            return value
        try:
            value = memory[key] = home.function(*args, **kwargs)
        finally:
            task.leave()
        return value

    def apply_async(*args: Any, **kwargs: Any) -> None:
        batch_keys([home.normalize(args, kwargs)])

    def batch_async(*calls: tuple[Any, ...]) -> None:
        batch_keys([home.normalize(as_call(call, home.name), {}) for call in calls])

    def batch_keys(keys: list[Key]) -> None:
        if here.task is not None:
            here.task.note(home, home.memory, keys)

    marked: types.FunctionType = memoized  # type: ignore[assignment]  # that is what def makes
    vars(marked).update(
        apply_async=apply_async,
        batch_async=batch_async,
        submit=functools.partial(submit_here, marked),
        map=functools.partial(map_here, marked),
        pyspeedup_home=home,
    )
    return marked


def _rebind_own_name(function: Any, meaning: Any) -> None:
    """Let a name that still holds the bare function mean its memoized form.

    It does where a program keeps both, as in ``fast = Cache(slow)``. Only for functions that came by
    value: the variables of a module are everybody's.
    """
    namespace: dict[str, Any] = getattr(function, "__globals__", {})
    name = getattr(function, "__name__", "")
    if namespace.get(name) is function and _is_own(function, namespace):
        namespace[name] = meaning
    for cell in _filled_cells(function):
        if cell.cell_contents is function:
            cell.cell_contents = meaning


def _is_own(function: Any, namespace: dict[str, Any]) -> bool:
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    return getattr(module, "__dict__", None) is not namespace


def _filled_cells(function: Any) -> list[types.CellType]:
    cells = []
    for cell in getattr(function, "__closure__", None) or ():
        try:
            cell.cell_contents  # noqa: B018 -- an empty one raises
        except ValueError:
            continue
        cells.append(cell)
    return cells
