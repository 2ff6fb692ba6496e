"""What a reference to a `Cache` makes where it arrives, if the calls of that Cache are evaluated in workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pyspeedup.concurrent._caching import here
from pyspeedup.concurrent._caching.options import name_of

if TYPE_CHECKING:
    from pyspeedup.concurrent._caching.binding import Binding
    from pyspeedup.concurrent._processes.shipping import Structure

__all__ = ["KINDS"]


class _Function:
    """In a worker what the Cache means there, a memoized function; elsewhere a Cache."""

    binding: Binding = ""

    @classmethod
    def _shell(cls, identity: str) -> Any:
        if here.worker is None:
            return _elsewhere()._shell(identity)  # noqa: SLF001 -- the half of the agreement that is ours to call
        return here.worker.meanings.shell(identity, cls.binding)

    @classmethod
    def _fill(cls, shell: Any, definition: tuple[Any, ...]) -> None:
        if here.worker is None:
            _elsewhere()._fill(shell, definition)  # noqa: SLF001 -- likewise
            return
        identity, function, _, known_as, _ = definition
        here.worker.meanings.fill(identity, function, name_of(function), known_as)


class _Method(_Function):
    """The same, for a Cache that was defined in a class."""

    binding = "instance"


class _ClassMethod(_Function):
    """Likewise, for one of a classmethod."""

    binding = "class"


class _StaticMethod(_Function):
    """Likewise, for one of a staticmethod."""

    binding = "static"


def _elsewhere() -> type[Structure]:
    from pyspeedup.concurrent.cache import Cache  # which imports us

    return Cache


KINDS: Final[dict[Binding, type[Structure]]] = {
    kind.binding: kind for kind in (_Function, _Method, _ClassMethod, _StaticMethod)
}
"""Classes that travel by name, for each way to be bound."""
