"""Every error that pyspeedup raises for reasons of its own.

::

    PyspeedupError
    ├── PluginError          also RuntimeError    a plugin is wrong; names its distribution
    ├── UnknownNameError     also LookupError     nothing is registered under a name
    ├── DuplicateNameError   also ValueError      two plugins claim a name; names both
    ├── SerializationError   also ValueError      a value can't be written, or bytes can't be read
    ├── StoreError           also OSError         a store can't be used; names its place
    │   ├── StoreCorruptedError                   what is on disk isn't what was written
    │   ├── StoreLockedError                      another process is writing it; names the pid
    │   └── UntrustedStoreError                   others could have written what would be unpickled
    └── WorkerError          also RuntimeError    a process of ours died; carries pid and exit code

    PluginWarning (RuntimeWarning)                a plugin was left out, the rest works

Each is also the built-in that a caller would already catch. Where ``dict``, ``list`` or a plain
function call has an error of its own (``KeyError``, ``IndexError``, ``TypeError``, ``ValueError``),
that one is raised instead.
"""

from __future__ import annotations

__all__ = [
    "DuplicateNameError",
    "PluginError",
    "PluginWarning",
    "PyspeedupError",
    "SerializationError",
    "StoreCorruptedError",
    "StoreError",
    "StoreLockedError",
    "UnknownNameError",
    "UntrustedStoreError",
    "WorkerError",
]


class PyspeedupError(Exception):
    """The base of every error of pyspeedup's own.

    >>> issubclass(StoreLockedError, PyspeedupError) and issubclass(StoreLockedError, OSError)
    True
    """


class PluginError(PyspeedupError, RuntimeError):
    """A plugin does not fit: a misspelt hook, a wrong argument, not a plugin at all.

    >>> raise PluginError("plugin 'spam' (from spam-plugin 1.0): no hook is called that")
    Traceback (most recent call last):
    pyspeedup.core.errors.PluginError: plugin 'spam' (from spam-plugin 1.0): no hook is called that
    """


class PluginWarning(RuntimeWarning):
    """An installed plugin could not be loaded and was left out; everything else works.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warnings.warn("spam-plugin 1.0 failed to load", PluginWarning)
    >>> caught[0].category.__name__
    'PluginWarning'
    """


class UnknownNameError(PyspeedupError, LookupError):
    """Nothing is registered under the name that was asked for.

    >>> from pyspeedup.core import serializers
    >>> try:
    ...     serializers.get("pickel")
    ... except LookupError as error:
    ...     print(str(error).partition(";")[0])
    no serializer is called 'pickel'
    """


class DuplicateNameError(PyspeedupError, ValueError):
    """Two plugins registered the same name, so that it means neither.

    >>> raise DuplicateNameError("serializer 'spam' is registered twice")
    Traceback (most recent call last):
    pyspeedup.core.errors.DuplicateNameError: serializer 'spam' is registered twice
    """


class SerializationError(PyspeedupError, ValueError):
    """A value cannot be turned into bytes, or bytes cannot be turned back; the cause is chained.

    >>> from pyspeedup.core import PickleSerializer
    >>> try:
    ...     PickleSerializer().dumps(lambda: None)
    ... except SerializationError as error:
    ...     print(error.__cause__ is not None)
    True
    """


class StoreError(PyspeedupError, OSError):
    """A store cannot be used as it was asked to be; the message names it.

    >>> raise StoreError("/data/words: not a store")
    Traceback (most recent call last):
    pyspeedup.core.errors.StoreError: /data/words: not a store
    """


class StoreCorruptedError(StoreError):
    """What a store holds is not what was written: damaged, truncated, exchanged, or parts missing.

    >>> raise StoreCorruptedError("/data/words, page 3: checksum does not match")
    Traceback (most recent call last):
    pyspeedup.core.errors.StoreCorruptedError: /data/words, page 3: checksum does not match
    """


class StoreLockedError(StoreError):
    """Another process has the store open for writing; `pid` tells which, where that is known.

    >>> StoreLockedError("/data/words is open in process 4711", pid=4711).pid
    4711
    """

    def __init__(self, message: str, pid: int | None = None) -> None:
        """Keep `pid`, the process that holds the lock."""
        super().__init__(message)
        self.pid = pid


class UntrustedStoreError(StoreError):
    """Somebody else could have written the store, and reading it can run code of theirs.

    >>> raise UntrustedStoreError("/tmp/words belongs to another user")
    Traceback (most recent call last):
    pyspeedup.core.errors.UntrustedStoreError: /tmp/words belongs to another user
    """


class WorkerError(PyspeedupError, RuntimeError):
    """A process that worked for us ended before it had answered.

    >>> error = WorkerError("worker 4711 was killed by signal 9", pid=4711, exitcode=-9)
    >>> error.pid, error.exitcode
    (4711, -9)
    """

    def __init__(self, message: str, pid: int | None = None, exitcode: int | None = None) -> None:
        """Keep `pid`, and `exitcode` as `multiprocessing` gives it (negative: a signal)."""
        super().__init__(message)
        self.pid = pid
        self.exitcode = exitcode

    def __reduce__(self) -> tuple[type[WorkerError], tuple[str, int | None, int | None]]:
        """Travel between processes with both numbers."""
        return type(self), (str(self), self.pid, self.exitcode)
