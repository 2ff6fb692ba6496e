"""What core itself offers, through the same door as anyone's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspeedup.core.hookspecs import hookimpl
from pyspeedup.core.pickling import PickleSerializer

if TYPE_CHECKING:
    from pyspeedup.core.protocols import SerializerFactory
    from pyspeedup.core.registry import Register


@hookimpl
def pyspeedup_register_serializers(register: Register[SerializerFactory]) -> None:
    """Offer the default."""
    register("pickle", PickleSerializer)
