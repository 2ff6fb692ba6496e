"""How functions, and the Buffers and Caches that they refer to, get to another process.

**Functions** travel by value, under every start method alike: `dumps` and `loads`.

**Structures** (a `Buffer`, a `Cache`) have a meaning that depends on where they are: inside the
process that computes one, its name means the inside view of that computation; anywhere else it is
a structure with its own memory and its own processes. So a structure travels as a *reference*: its
identity, unique in the world, and its definition (what it was made from, shipped in its turn). The
receiving process resolves the reference, in this order:

1. `set_meaning(identity, meaning)` was called: that meaning. A process that computes a structure
   calls it before it loads the structure's function.
2. A structure of that identity lives here (this is where it was made, or we were forked from
   there, or it has arrived before): that one.
3. The definition came along: a new structure is made from it, once.

A structure joins in by four things::

    class Buffer:
        def __init__(self, ...):  self._identity = shipping.register(self)
        def __reduce__(self):     return shipping.reference(Buffer, self._identity, self._definition)
        def _definition(self):    return whatever fill needs; called only when it has to travel
        @classmethod
        def _shell(cls, identity):            return what the name shall mean here, still empty
        @classmethod
        def _fill(cls, shell, definition):    make the shell work, from what _definition returned

The shell comes first because definitions are cyclic: a generator that reads its own name, two
Caches that call each other. For the same reason a definition leaves out the definitions of the
structures that are being shipped around it: those are known where it arrives. To ship a structure's
function from a process that is about to compute it elsewhere, use ``dumps(function, what,
known=(identity,))``, which leaves out the structure's own definition too.

A structure whose class says something else in a worker (the worker's callable of a `Cache` is a
plain function, which has no ``__reduce__``) is covered as well: whatever was given to `set_meaning`
is shipped as ``reference(*how)`` when `set_meaning` was told `how`.
"""

from __future__ import annotations

import io
import os
import pickle
import threading
import types
import weakref
from typing import TYPE_CHECKING, Any, Protocol

from pyspeedup.concurrent._processes import plain_functions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

__all__ = [
    "dumps",
    "dumps_each",
    "loads",
    "loads_each",
    "meaning_of",
    "reference",
    "register",
    "resolve",
    "set_meaning",
    "unregister",
    "unset_meaning",
]

PROTOCOL = 5
"""Of pickle; read by every Python that can be at the other end."""


class Structure(Protocol):
    """The class of a structure that travels as a reference."""

    @classmethod
    def _shell(cls, identity: str, /) -> Any: ...

    @classmethod
    def _fill(cls, shell: Any, definition: Any, /) -> None: ...


class _Shipment(threading.local):
    """What this thread is shipping: the identities whose definitions are left out."""

    known: frozenset[str] = frozenset()


_shipment = _Shipment()
_lock = threading.RLock()
_meanings: dict[str, Any] = {}
_references: dict[int, tuple[type[Structure], str, Callable[[], Any]]] = {}
"""How to ship a meaning that has no ``__reduce__`` of its own, by its ``id``."""
_living: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def dumps(obj: Any, what: str, *, known: Iterable[str] = ()) -> bytes:
    """Return `obj` as bytes, functions and classes that can't be imported by value.

    `what` names it in the `TypeError` that is raised if something in it cannot travel. `known` are
    the identities that the receiver has a meaning for, so that their definitions stay here.

    >>> loads(dumps(lambda n: n + 1, "a function"))(41)
    42
    >>> lock = threading.Lock()
    >>> try:
    ...     dumps(lambda: lock, "the generator")
    ... except TypeError as error:
    ...     print(str(error).partition(":")[0])
    the generator cannot be sent to another process, because of the global variable 'lock'
    """
    before = _shipment.known
    _shipment.known = before.union(known)
    try:
        is_function = isinstance(obj, types.FunctionType)
        return _pickled_definition(obj) if is_function else _pickled(obj)
    except Exception as error:
        raise TypeError(_explain(obj, what, error)) from error
    finally:
        _shipment.known = before


def dumps_each(objects: Sequence[Any], what: str) -> bytes:
    """Return several objects as bytes that `loads_each` reads up to the first that cannot be.

    Costs about a microsecond more for each than `dumps` of a list of them; errors as `dumps`.
    """
    file = io.BytesIO()
    pickler = _pickler(file)
    for obj in objects:
        try:
            pickler.dump(obj)
        except Exception as error:
            raise TypeError(_explain(obj, what, error)) from error
    return file.getvalue()


def loads_each(data: bytes, count: int) -> tuple[list[Any], BaseException | None]:
    """Return what `dumps_each` was given, up to the first that cannot be read, and the error of that.

    >>> loads_each(dumps_each([{1}, {2}], "two sets"), 2)
    ([{1}, {2}], None)
    """
    unpickler = pickle.Unpickler(io.BytesIO(data))
    objects: list[Any] = []
    try:
        for _ in range(count):
            objects.append(unpickler.load())  # noqa: PERF401 -- an error must leave those before it
    except BaseException as error:  # noqa: BLE001 -- a class of the user's; it is for who reads
        return objects, error
    return objects, None


def loads(data: bytes) -> Any:
    """Return what `data` was made from by `dumps`, references resolved; raises what pickle raises.

    >>> loads(dumps({"a": (1, 2)}, "a dict"))
    {'a': (1, 2)}
    """
    return pickle.loads(data)


def register(structure: Any, identity: str | None = None) -> str:
    """Remember (weakly) that `structure` lives here, and return its identity, a new one if None."""
    identity = identity or os.urandom(16).hex()
    with _lock:
        _living[identity] = structure
    return identity


def unregister(identity: str) -> None:
    """Have references no longer mean the structure that lives here, as in a fork that computes it."""
    with _lock:
        _living.pop(identity, None)


def set_meaning(
    identity: str,
    meaning: Any,
    how: tuple[type[Structure], str, Callable[[], Any]] | None = None,
) -> None:
    """Let references to `identity` mean `meaning` in this process, for good.

    `how` are the arguments of `reference` by which `meaning` is shipped on, where it has no
    ``__reduce__`` to say so.
    """
    with _lock:
        _meanings[identity] = meaning
        if how is not None:
            _references[id(meaning)] = how


def unset_meaning(identity: str) -> None:
    """Have references no longer mean what `set_meaning` said, and let go of that."""
    with _lock:
        meaning = _meanings.pop(identity, None)
        _references.pop(id(meaning), None)


def meaning_of(identity: str) -> Any | None:
    """Return what `identity` means in this process, None where nothing of it is known."""
    return _meanings.get(identity, _living.get(identity))


def reference(
    kind: type[Structure], identity: str, definition: Callable[[], Any]
) -> tuple[Callable[..., Any], tuple[type[Structure], str, bytes | None]]:
    """Return what ``__reduce__`` of a structure returns; `definition` is called if it must travel."""
    if identity in _shipment.known:
        return resolve, (kind, identity, None)
    before = _shipment.known
    _shipment.known = before | {identity}
    try:
        payload = _pickled_definition(definition())
    finally:
        _shipment.known = before
    return resolve, (kind, identity, payload)


def resolve(kind: type[Structure], identity: str, payload: bytes | None) -> Any:
    """Return what a reference means in this process, made from `payload` if nothing is known."""
    with _lock:
        found = meaning_of(identity)
        if found is None and payload is None:
            raise LookupError(f"a reference to an unknown {kind.__name__} came without definition")
        if found is not None or payload is None:
            return found
        shell = kind._shell(identity)  # noqa: SLF001 -- the half of the agreement that is ours to call
        register(shell, identity)
        try:
            kind._fill(shell, loads(payload))  # noqa: SLF001 -- likewise
        except BaseException:
            _living.pop(identity, None)
            raise
        return shell


def _pickled_definition(obj: Any) -> bytes:
    """Pickle a function, or what a structure is made from, without cloudpickle if that can be."""
    data = plain_functions.dumps(obj, _reduce_structure)
    return _pickled(obj) if data is None else data


def _reduce_structure(obj: Any) -> Any:
    how = _references.get(id(obj))
    if how is not None:
        return reference(*how)
    return obj.__reduce__() if hasattr(type(obj), "_shell") else None


def _pickler(file: io.BytesIO) -> Any:
    import cloudpickle  # 30 ms that an import of ours must not cost

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
        def reducer_override(self, obj: Any) -> Any:
            how = _references.get(id(obj))
            if how is not None:
                return reference(*how)
            return super().reducer_override(obj)

    return (Pickler if _references else cloudpickle.Pickler)(file, PROTOCOL)


def _pickled(obj: Any) -> bytes:
    file = io.BytesIO()
    _pickler(file).dump(obj)
    return file.getvalue()


def _explain(obj: Any, what: str, error: Exception) -> str:
    culprit = next((where for where, value in _parts(obj) if not _can_travel(value)), "")
    return (
        f"{what} cannot be sent to another process{culprit}: {error}; what it needs of open files, "
        "locks, connections and running generators has to be made inside it"
    )


def _parts(obj: Any) -> Iterator[tuple[str, Any]]:
    """Yield the variables that a function brings along, each with words to say so."""
    if not isinstance(obj, types.FunctionType):
        return
    for name, cell in zip(obj.__code__.co_freevars, obj.__closure__ or (), strict=True):
        try:
            yield f", because of its variable {name!r}", cell.cell_contents
        except ValueError:  # a cell that is not filled yet cannot be to blame
            continue
    for name in _names_in(obj.__code__):
        if name in obj.__globals__:
            yield f", because of the global variable {name!r}", obj.__globals__[name]
    yield ", because of a default argument", (obj.__defaults__, obj.__kwdefaults__)


def _names_in(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names_in(constant)


def _can_travel(value: Any) -> bool:
    try:
        _pickled(value)
    except Exception:  # noqa: BLE001 -- whatever it is, it is the answer
        return False
    return True


def _forget_lock() -> None:
    """After a fork: another thread may have held the lock."""
    global _lock  # noqa: PLW0603 -- see above
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)
