"""What holds pyspeedup together: protocols, plugins, errors.

- `HaltCondition`, `Serializer`, `PageStore`, `Engine`: what an extension has to offer.
- `hookimpl`, `register`: how it makes itself known, installed or from a script.
- `halt_conditions`, `serializers`, `page_stores`, `engines`: the registries that look names up.
- `PickleSerializer`: the default serializer.
- the errors, drawn as a tree in `pyspeedup.core.errors`.

Importing this starts nothing and scans nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pyspeedup.core._shared import (
    announce,
    engines,
    halt_conditions,
    page_stores,
    register,
    serializers,
)
from pyspeedup.core.errors import (
    DuplicateNameError,
    PluginError,
    PluginWarning,
    PyspeedupError,
    SerializationError,
    StoreCorruptedError,
    StoreError,
    StoreLockedError,
    UnknownNameError,
    UntrustedStoreError,
    WorkerError,
)
from pyspeedup.core.pickling import PickleSerializer
from pyspeedup.core.registry import Owner, Register, Registration, Registry
from pyspeedup.core.reports import Batch, FunctionStats, Span

if TYPE_CHECKING:
    from pyspeedup.core.hookspecs import hookimpl
    from pyspeedup.core.protocols import (
        BytesLike,
        Engine,
        EngineFactory,
        HaltCondition,
        LocalFunction,
        PageStore,
        PageStoreFactory,
        Serializer,
        SerializerFactory,
    )

    __version__: str

__all__ = [
    "Batch",
    "BytesLike",
    "DuplicateNameError",
    "Engine",
    "EngineFactory",
    "FunctionStats",
    "HaltCondition",
    "LocalFunction",
    "Owner",
    "PageStore",
    "PageStoreFactory",
    "PickleSerializer",
    "PluginError",
    "PluginWarning",
    "PyspeedupError",
    "Register",
    "Registration",
    "Registry",
    "SerializationError",
    "Serializer",
    "SerializerFactory",
    "Span",
    "StoreCorruptedError",
    "StoreError",
    "StoreLockedError",
    "UnknownNameError",
    "UntrustedStoreError",
    "WorkerError",
    "__version__",
    "announce",
    "engines",
    "halt_conditions",
    "hookimpl",
    "page_stores",
    "register",
    "serializers",
]


def __getattr__(name: str) -> Any:
    """Bring in what takes milliseconds to import, and few programs need, when it is asked for."""
    if name == "hookimpl":
        from pyspeedup.core.hookspecs import hookimpl

        return hookimpl
    if name in __all__ and name != "__version__":  # all else is here already
        from pyspeedup.core import protocols

        return getattr(protocols, name)
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-core")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Name what can be asked for."""
    return [*__all__]
