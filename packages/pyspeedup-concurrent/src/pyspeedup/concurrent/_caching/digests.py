"""By what a store tells the answers of one function from those of another: its source, and what it brings along."""

from __future__ import annotations

import functools
import pickle
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["check", "digest"]

PROTOCOL: Final = 4
"""Of pickle: as long as it stays, answers are found again."""

_WRAPPERS: Final = staticmethod | classmethod
_PLUMBING: Final = types.GetSetDescriptorType | types.MemberDescriptorType
"""What a class has for its instances, and what says nothing of what it does."""


def digest(function: Callable[..., Any]) -> str:
    """Return what differs between functions of one name; costs some 0.1 ms, and more for large values.

    `TypeError` if a value that it brings along cannot be pickled.

    >>> digest(abs) == digest(abs) != digest(lambda n: -n)
    True
    """
    import hashlib  # opens a C library: 3 ms that only a store needs

    picture = hashlib.sha256()
    for part in _Picture(function).parts(function):
        picture.update(b"%d:" % len(part))  # so that no two parts look like two others
        picture.update(part)
    return picture.hexdigest()[:16]


def check(function: Callable[..., Any]) -> None:
    """Raise the `TypeError` of `digest` now, for what `function` brings along so far."""
    for _ in _Picture(function).parts(function):
        pass


class _Picture:
    """Walks through what a function brings along: other functions and classes too.

    A part that comes out otherwise next time costs an answer that is found again; one left out
    would give the answers of another function.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Walk on behalf of `function`, and have seen nothing yet."""
        self._function = function
        self._seen: dict[int, tuple[int, Any]] = {}
        """By its ``id``, the how-many-eth of all each function and class was, and itself, so that it stays."""

    def parts(self, value: Any) -> Iterator[bytes]:
        """Yield what `value` differs by from its like, but for what was seen before."""
        if isinstance(value, types.FunctionType) and hasattr(value, "apply_async"):
            value = value.__wrapped__  # type: ignore[attr-defined]  # it is what a Cache means inside a worker
        if isinstance(value, types.FunctionType | types.MethodType | type | _WRAPPERS):
            is_new = id(value) not in self._seen
            number, _ = self._seen.setdefault(id(value), (len(self._seen), value))
            yield b"%d" % number
            if is_new:
                yield from self._parts_of_code(value)
        elif isinstance(value, types.ModuleType):
            yield value.__name__.encode()
        elif isinstance(value, types.BuiltinFunctionType):
            yield _name_of(value)
            yield from self.parts(value.__self__)
        elif isinstance(value, functools.partial):
            yield from self._parts_of_all((value.func, *value.args, *_in_order(value.keywords)))
        elif hasattr(value, "__wrapped__"):  # a Cache, or a cached function of functools
            yield from self.parts(value.__wrapped__)
        else:
            yield self._pickled(value)
            if callable(value):
                yield _source_of(type(value))

    def _parts_of_all(self, values: Iterable[Any]) -> Iterator[bytes]:
        for value in values:
            yield from self.parts(value)

    def _parts_of_code(self, value: Any) -> Iterator[bytes]:
        if isinstance(value, types.FunctionType):
            yield from self._parts_of_function(value)
        elif isinstance(value, types.MethodType):
            yield from self._parts_of_all((value.__func__, value.__self__))
        elif isinstance(value, type):
            yield from self._parts_of_class(value)
        else:
            yield from self.parts(value.__func__)

    def _parts_of_function(self, function: types.FunctionType) -> Iterator[bytes]:
        yield _name_of(function)
        yield _source_of(function.__code__)
        yield from self._parts_of_all(function.__defaults__ or ())
        yield from self._parts_of_all(_in_order(function.__kwdefaults__ or {}))
        for cell in function.__closure__ or ():
            try:
                value = cell.cell_contents
            except ValueError:  # its own name, which it has not been given yet
                continue
            yield from self.parts(value)

    def _parts_of_class(self, kind: type) -> Iterator[bytes]:
        try:
            yield pickle.dumps(kind, PROTOCOL)  # its module has but one of this name
        except Exception:  # noqa: BLE001 -- whatever pickle has against a class of a function
            yield _name_of(kind)
            yield _source_of(kind)
            yield from self._parts_of_all(kind.__bases__)
            for name, value in sorted(vars(kind).items()):
                yield name.encode()
                yield from self._parts_of_attribute(name, value)

    def _parts_of_attribute(self, name: str, value: Any) -> Iterator[bytes]:
        if isinstance(value, property):
            yield from self._parts_of_all((value.fget, value.fset, value.fdel))
        elif callable(value) or isinstance(value, _WRAPPERS):
            yield from self.parts(value)
        elif not (name.startswith("__") or name == "_abc_impl" or isinstance(value, _PLUMBING)):
            yield self._pickled(value)

    def _pickled(self, value: object) -> bytes:
        try:
            return pickle.dumps(value, PROTOCOL)
        except Exception as error:
            raise TypeError(
                f"store cannot tell {self._function!r} from others of its kind, for {value!r} that it "
                "brings along cannot be pickled; pass it as an argument, or leave out the store"
            ) from error


def _name_of(value: Any) -> bytes:
    return f"{getattr(value, '__module__', None)}.{value.__qualname__}".encode()


def _in_order(values: dict[str, Any]) -> Iterator[Any]:
    """Return names and values in turn, in one order for all equal dicts."""
    return (part for item in sorted(values.items()) for part in item)


def _source_of(value: types.CodeType | type) -> bytes:
    import inspect  # 10 ms that only a store needs

    code = value if isinstance(value, types.CodeType) else None
    if code is not None and code.co_name == "<lambda>":  # its line may hold others
        return _likeness(code)
    try:
        return inspect.getsource(value).encode()
    except (OSError, TypeError):  # typed at a prompt, or written in C
        return b"" if code is None else _likeness(code)


def _likeness(code: types.CodeType) -> bytes:
    """Return what a code does, the same wherever it stands."""
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return repr((code.co_code, names, [*map(_constant, code.co_consts)])).encode()


def _constant(value: Any) -> object:
    if isinstance(value, types.CodeType):
        return _likeness(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else value
