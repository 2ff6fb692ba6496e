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
from pyspeedup.core.protocols import (
    Batch,
    BytesLike,
    Engine,
    EngineFactory,
    FunctionStats,
    HaltCondition,
    LocalFunction,
    PageStore,
    PageStoreFactory,
    Serializer,
    SerializerFactory,
    Span,
)
from pyspeedup.core.registry import Owner, Register, Registration, Registry

if TYPE_CHECKING:
    from pyspeedup.core.hookspecs import hookimpl

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
    """Bring in what costs tens of milliseconds to import only when it is asked for."""
    if name == "hookimpl":
        from pyspeedup.core.hookspecs import hookimpl

        return hookimpl
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-core")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
