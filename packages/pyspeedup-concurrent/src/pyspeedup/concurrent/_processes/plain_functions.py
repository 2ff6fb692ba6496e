"""How functions that need little travel: without cloudpickle, which takes some 5 ms of every program's start.

Little is: constants, modules and importable functions and classes, structures, and functions of the
same kind; no variables of a function around it. What needs more is left to cloudpickle, and arrives
in the same form: a function by value in a namespace of its own, which functions shipped together share.
"""

from __future__ import annotations

import builtins
import importlib
import io
import marshal
import opcode
import pickle
import sys
import types
from typing import TYPE_CHECKING, Any, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["dumps"]

PROTOCOL: Final = 5
_NEWEST: Final = (3, 14)
"""From this Python on the byte codes have not been looked at."""
_LOAD_GLOBAL: Final = opcode.opmap["LOAD_GLOBAL"]
_OTHERS_OF_GLOBALS: Final = {opcode.opmap["STORE_GLOBAL"], opcode.opmap["DELETE_GLOBAL"]}
_LOAD_NAME: Final = opcode.opmap["LOAD_NAME"]
_OF_MODULES: Final = ("__package__", "__name__", "__path__", "__file__")
"""What a namespace has of its module's for relative imports."""


class _UnfitError(Exception):
    """It takes cloudpickle."""


def dumps(obj: Any, reduce: Callable[[Any], Any]) -> bytes | None:
    """Return `obj`, a function or a tuple that holds one, as bytes; None if that takes cloudpickle.

    `reduce` returns how an object is reduced if it is a structure, None if it isn't.
    """
    if sys.version_info >= _NEWEST or _some_modules_go_by_value():
        return None
    file = io.BytesIO()
    try:
        _Pickler(file, reduce).dump(obj)
    except Exception:  # noqa: BLE001 -- whatever it is, cloudpickle can do it or says why not
        return None
    return file.getvalue()


def _some_modules_go_by_value() -> bool:
    # Another thread may be importing it, and none can have registered a module before it has done so.
    registered = getattr(sys.modules.get("cloudpickle"), "list_registry_pickle_by_value", None)
    return registered is not None and bool(registered())


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, reduce: Callable[[Any], Any]) -> None:
        super().__init__(file, PROTOCOL)
        self._reduce = reduce
        self._namespaces: dict[int, dict[str, Any]] = {}

    def reducer_override(self, obj: Any) -> Any:
        """Say how what is no plain data travels; pickle itself knows how names do."""
        reduced = self._reduce(obj)
        if reduced is not None:
            return reduced
        if isinstance(obj, types.ModuleType):
            return importlib.import_module, (_importable_name(obj),)
        if isinstance(obj, type | types.FunctionType | types.BuiltinFunctionType):
            if _is_importable(obj):
                return NotImplemented
            if type(obj) is types.FunctionType:
                return self._reduce_function(obj)
        return _give_up()

    def _reduce_function(self, function: types.FunctionType) -> tuple[Any, ...]:
        code = function.__code__
        if code.co_freevars or getattr(function, "__type_params__", ()):
            _give_up()
        variables = function.__globals__
        namespace = self._namespaces.setdefault(
            id(variables), {name: variables[name] for name in _OF_MODULES if name in variables}
        )
        state = {
            "variables": {name: variables[name] for name in _globals_of(code) if name in variables},
            "attributes": {name: getattr(function, name) for name in _ATTRIBUTES},
            "own": function.__dict__,
        }
        arguments = (marshal.dumps(code), namespace)
        return _make_function, arguments, state, None, None, _fill_function


_ATTRIBUTES: Final = (
    *("__name__", "__qualname__", "__module__", "__doc__"),
    *("__defaults__", "__kwdefaults__", "__annotations__"),
)


def _make_function(code: bytes, namespace: dict[str, Any]) -> types.FunctionType:
    namespace.setdefault("__builtins__", builtins.__dict__)
    return types.FunctionType(marshal.loads(code), namespace)  # noqa: S302 -- from within a pickle, which could do as much


def _fill_function(function: types.FunctionType, state: dict[str, dict[str, Any]]) -> None:
    function.__globals__.update(state["variables"])
    for name, value in state["attributes"].items():
        setattr(function, name, value)
    function.__dict__.update(state["own"])


def _give_up() -> NoReturn:
    raise _UnfitError


def _is_importable(obj: Any) -> bool:
    module = sys.modules.get(getattr(obj, "__module__", None) or "")
    if module is None or module.__name__ == "__main__":
        return False
    found: Any = module
    for part in obj.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is obj


def _importable_name(module: types.ModuleType) -> str:
    """Return the name of a module; a package may be used for a module in it that is not imported there."""
    name = module.__name__
    if sys.modules.get(name) is not module or name == "__main__" or hasattr(module, "__path__"):
        _give_up()
    return name


def _globals_of(code: types.CodeType) -> Iterator[str]:
    """Yield the global variables that a function can use, or a function in it."""
    extended, raw = 0, code.co_code
    for operation, low in zip(raw[::2], raw[1::2], strict=True):
        argument = extended | low
        extended = argument << 8 if operation == opcode.EXTENDED_ARG else 0
        if operation == _LOAD_GLOBAL:
            yield code.co_names[argument >> 1]  # the lowest bit is about the stack
        elif operation in _OTHERS_OF_GLOBALS:
            yield code.co_names[argument]
        elif operation == _LOAD_NAME:  # a class is made, whose variables may be global ones
            _give_up()
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _globals_of(constant)
