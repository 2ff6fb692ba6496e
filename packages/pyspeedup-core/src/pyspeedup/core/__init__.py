"""What holds pyspeedup together: protocols, plugins, errors.

- `HaltCondition`, `Serializer`, `PageStore`, `Engine`: what an extension has to offer.
- `hookimpl`, `register`: how it makes itself known, installed or from a script.
- `halt_conditions`, `serializers`, `page_stores`, `engines`: the registries that look names up.
- `PickleSerializer`: the default serializer.
- the errors, drawn as a tree in `pyspeedup.core.errors`.

Importing this starts nothing and scans nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from pyspeedup.core._announced import announce
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

if TYPE_CHECKING:
    from pyspeedup.core._shared import (
        engines,
        halt_conditions,
        page_stores,
        register,
        serializers,
    )
    from pyspeedup.core.hookspecs import hookimpl
    from pyspeedup.core.pickling import PickleSerializer
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
    from pyspeedup.core.registry import Owner, Register, Registration, Registry
    from pyspeedup.core.reports import Batch, FunctionStats, Span

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

_MODULES: Final = {
    **dict.fromkeys(("Batch", "FunctionStats", "Span"), "reports"),
    **dict.fromkeys(("Owner", "Register", "Registration", "Registry"), "registry"),
    **dict.fromkeys(("engines", "halt_conditions", "page_stores", "serializers"), "_shared"),
    "PickleSerializer": "pickling",
    "hookimpl": "hookspecs",
    "register": "_shared",
}
"""Where a name is to be found that is not here yet; what is not named is a protocol."""


def __getattr__(name: str) -> Any:
    """Load what is asked for: most programs look no name up, which would cost them milliseconds."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pyspeedup-core")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES.get(name, 'protocols')}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    """Name what can be asked for."""
    return [*__all__]
