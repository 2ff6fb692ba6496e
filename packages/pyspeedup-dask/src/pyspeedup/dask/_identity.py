"""What tells a function, and a call, from all others: digests that come out equal wherever they are made."""

from __future__ import annotations

import dis
import hashlib
import pickle
import sys
import types
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["digest_of_call", "digest_of_function", "name_in_keys", "task_key"]

PROTOCOL = 5
"""Of pickle: for digests, one that stays."""

PLAIN = (int, float, complex, str, bytes, bool, type(None), type(Ellipsis))
"""What ``repr`` tells apart, in every process alike."""

GLOBAL_OPERATIONS = {"LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL"}


def digest_of_function(function: Callable[..., Any]) -> str:
    """Return what `function` is found by: equal for one that was made from the same source alike.

    It covers the code, the defaults, the values that it closes over and the global variables that it
    names, and so on into the functions among them, those of importable modules by name and code.
    Where nothing else helps it is a number that comes once: such functions share nothing.
    Costs some 0.1 ms.

    >>> def make(offset):
    ...     return lambda n: n + offset
    >>> digest_of_function(make(1)) == digest_of_function(make(1))
    True
    >>> digest_of_function(make(1)) == digest_of_function(make(2))
    False
    """
    picture = _Picture()
    picture.add(function)
    return picture.digest()


def digest_of_call(args: tuple[Any, ...], kwargs: dict[str, Any], packed: bytes) -> str:
    """Return what a call's arguments are found by; `packed` are their bytes, for those that are not plain.

    >>> digest_of_call((1, "a"), {}, b"") == digest_of_call((1, "a"), {}, b"other")
    True
    >>> digest_of_call((1,), {}, b"") == digest_of_call((1.0,), {}, b"")
    False
    """
    named = tuple(sorted(kwargs.items()))
    text = repr((args, named)).encode() if _is_plain((args, named)) else b"packed " + packed
    return hashlib.sha256(text).hexdigest()


def task_key(name: str, function: str, generation: str, call: str) -> str:
    """Return the name that the cluster knows a call by, from digests of function and arguments.

    >>> task_key("square", "f", "", "c")[:17]
    'pyspeedup-square-'
    """
    told = f"{function}\n{generation}\n{call}".encode()
    return f"pyspeedup-{name_in_keys(name)}-{hashlib.sha256(told).hexdigest()[:32]}"


def name_in_keys(name: str) -> str:
    """Return `name` as it may stand in a key, where dask groups tasks by it.

    >>> name_in_keys("<lambda>")
    'lambda'
    """
    return "".join(c if c.isalnum() or c == "_" else " " for c in name).strip() or "function"


def _is_plain(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_plain, value))
    return type(value) in PLAIN


class _Picture:
    """Writes down what a function is made of; what was met before is referred to by its number."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._met: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no `id` is given twice

    def digest(self) -> str:
        return self._hash.hexdigest()[:32]

    def _write(self, kind: str, text: str | bytes) -> None:
        data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        self._hash.update(f"{kind} {len(data)} ".encode() + data)

    def add(self, value: Any) -> None:
        """Write down a value of any kind."""
        value = _plain_function(value)
        if type(value) in PLAIN:
            self._write(type(value).__name__, repr(value))
        elif id(value) in self._met:
            self._write("again", str(self._met[id(value)]))
        else:
            self._met[id(value)] = len(self._met)
            self._kept.append(value)
            self._add_new(value)

    def _add_new(self, value: Any) -> None:
        if isinstance(value, types.FunctionType):
            self._add_function(value)
        elif isinstance(value, types.CodeType):
            self._add_code(value)
        elif isinstance(value, types.ModuleType):
            self._write("module", value.__name__)
        elif isinstance(value, type) and _is_importable(value):
            self._write("class", f"{value.__module__}.{value.__qualname__}")
        elif type(value) in (tuple, list):
            self._add_all(type(value).__name__, value)
        elif type(value) is dict:
            self._add_all("dict", [part for item in value.items() for part in item])
        elif type(value) in (set, frozenset) and all(type(item) in PLAIN for item in value):
            self._write(type(value).__name__, repr(sorted(map(repr, value))))
        else:
            self._write("pickled", _pickled(value))

    def _add_all(self, kind: str, values: Any) -> None:
        self._write(kind, str(len(values)))
        for value in values:
            self.add(value)

    def _add_function(self, function: types.FunctionType) -> None:
        self._write("function", function.__qualname__)
        self.add(function.__code__)
        if _is_importable(function):
            self._write("of", function.__module__)
            return
        self.add(function.__defaults__)
        self.add(function.__kwdefaults__)
        for cell in function.__closure__ or ():
            try:
                self.add(cell.cell_contents)
            except ValueError:  # it is not filled yet
                self._write("empty", "")
        for name in sorted(set(_global_names(function.__code__))):
            if name in function.__globals__:
                self._write("global", name)
                self.add(function.__globals__[name])

    def _add_code(self, code: types.CodeType) -> None:
        """Write down what runs, and not where it stood in a file."""
        self._write("code", code.co_code)
        names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        self._write("names", repr((names, counts)))
        self._add_all("constants", code.co_consts)


def _plain_function(value: Any) -> Any:
    """Return the function behind a memoized one, of whatever kind: it is as good as the function."""
    home = getattr(value, "pyspeedup_home", None)
    if home is not None:
        return home.function
    kind = type(value)
    if kind.__module__.startswith("pyspeedup.") and hasattr(value, "__wrapped__"):
        return value.__wrapped__
    return value


def _is_importable(value: Any) -> bool:
    found: Any = sys.modules.get(value.__module__ or "")
    if found is None or value.__module__ == "__main__":
        return False
    for name in value.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is value


def _global_names(code: types.CodeType) -> Iterator[str]:
    for instruction in dis.get_instructions(code):
        if instruction.opname in GLOBAL_OPERATIONS:
            yield str(instruction.argval)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _global_names(constant)


def _pickled(value: Any) -> bytes:
    try:
        return pickle.dumps(value, PROTOCOL)
    except Exception:  # noqa: BLE001 -- its own code may raise anything; whether it can travel is told when it has to
        return uuid.uuid4().bytes
