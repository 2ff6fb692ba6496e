"""By what a store tells the answers of one function from those of another: its source, and what it brings along."""

from __future__ import annotations

import functools
import pickle
import types
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pyspeedup.concurrent._caching import here
from pyspeedup.concurrent._caching.nested import submit_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["check", "digest"]

PROTOCOL: Final = 4
"""Of pickle: as long as it stays, answers are found again."""

_WRAPPERS: Final = (staticmethod, classmethod)
_KEPT_BY_FUNCTOOLS: Final = type(functools.cache(len))
_WALKED: Final = (types.FunctionType, types.MethodType, type, *_WRAPPERS)
_UNTOLD: Final = {"__annotations__", "__annotate__", "__type_params__"}
"""What an object has of the function that it wraps and cannot always be pickled: the source says it."""
_PLUMBING: Final = types.GetSetDescriptorType | types.MemberDescriptorType
"""What a class has for its instances, and what says nothing of what it does."""

_TELLING_FLAGS: Final = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200
"""Of code, as in `inspect`: it has ``*args`` or ``**kwargs``, is a generator or a coroutine; not where it stands."""

T = TypeVar("T")


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
        kind = type(value)  # for some decorators' objects pass for the function, by ``__class__``
        if issubclass(kind, functools.partial):
            yield from self._parts_of_all((value.func, *value.args, *_in_order(value.keywords)))
        elif _only_remembers(value):
            yield from self.parts(value.__wrapped__)
        elif issubclass(kind, types.ModuleType):
            yield value.__name__.encode()
        elif issubclass(kind, types.BuiltinFunctionType):
            yield _name_of(value)
            yield from self.parts(value.__self__)
        elif issubclass(kind, _WALKED) or hasattr(value, "__wrapped__"):
            is_new = id(value) not in self._seen
            number, _ = self._seen.setdefault(id(value), (len(self._seen), value))
            yield b"%d" % number
            if is_new:
                yield from self._parts_of_code(value)
        else:
            yield self._pickled(value)
            if callable(value):
                yield _source_of(kind)

    def _parts_of_all(self, values: Iterable[Any]) -> Iterator[bytes]:
        for value in values:
            yield from self.parts(value)

    def _parts_of_code(self, value: Any) -> Iterator[bytes]:
        kind = type(value)
        if issubclass(kind, types.FunctionType):
            yield from self._parts_of_function(value)
        elif issubclass(kind, types.MethodType):
            yield from self._parts_of_all((value.__func__, value.__self__))
        elif issubclass(kind, type):
            yield from self._parts_of_class(value)
        elif issubclass(kind, _WRAPPERS):
            yield from self.parts(value.__func__)
        else:
            yield from self._parts_of_decorator(value)

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

    def _parts_of_decorator(self, value: Any) -> Iterator[bytes]:
        """Yield what an object differs by that wraps a function, whose name may mean the object by now."""
        yield _source_of(type(value))
        reduced = self._told(value, lambda: value.__reduce_ex__(PROTOCOL))
        if isinstance(reduced, str):
            yield reduced.encode()
            return
        recipe: list[Any] = [*reduced, None]  # the state may be missing
        made_by, arguments, state, *contents = recipe
        yield b"%d" % len(arguments)
        yield from self._parts_of_all((made_by, *arguments))
        for part in state if isinstance(state, tuple) else (state,):  # those in slots come apart
            yield from self._parts_of_state(part)
        for items in filter(None, contents):
            yield from self._parts_of_all((items,) if callable(items) else items)

    def _parts_of_state(self, state: Any) -> Iterator[bytes]:
        if isinstance(state, dict) and all(isinstance(name, str) for name in state):
            told = {name: value for name, value in state.items() if name not in _UNTOLD}
            yield b"%d" % len(told)
            yield from self._parts_of_all(_in_order(told))
        else:
            yield from self.parts(state)

    def _pickled(self, value: object) -> bytes:
        return self._told(value, lambda: pickle.dumps(value, PROTOCOL))

    def _told(self, value: object, how: Callable[[], T]) -> T:
        try:
            return how()
        except Exception as error:
            raise TypeError(
                f"store cannot tell {self._function!r} from others of its kind, for {value!r} that it "
                "brings along cannot be pickled; pass it as an argument, or leave out the store"
            ) from error


def _only_remembers(value: Any) -> bool:
    """Tell whether `value` answers as what it wraps does: a Cache, or a cached function of functools."""
    kind = type(value)
    if hasattr(kind, "_shell") or kind is _KEPT_BY_FUNCTOOLS:
        return hasattr(value, "__wrapped__")
    if kind is types.FunctionType:
        return _is_local_function(value)
    return here.worker is not None and _is_local_method(kind)


def _is_local_function(function: types.FunctionType) -> bool:
    """Tell whether `function` is what a Cache means inside a worker, and none that `wraps` made like it."""
    submit, wrapped = (vars(function).get(name) for name in ("submit", "__wrapped__"))
    is_ours = isinstance(submit, functools.partial) and submit.func is submit_here
    return is_ours and submit is not getattr(wrapped, "submit", None)


def _is_local_method(kind: type) -> bool:
    from pyspeedup.concurrent._caching.local import LocalMethod  # which a worker has imported

    return kind is LocalMethod


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
    takes = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    does = (code.co_code, code.co_exceptiontable, code.co_flags & _TELLING_FLAGS)
    return repr((does, takes, names, [*map(_constant, code.co_consts)])).encode()


def _constant(value: Any) -> object:
    if isinstance(value, types.CodeType):
        return _likeness(value)
    return sorted(map(repr, value)) if isinstance(value, frozenset) else value
