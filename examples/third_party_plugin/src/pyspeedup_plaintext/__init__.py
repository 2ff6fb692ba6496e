"""What the plugin registers, under which names."""

from pyspeedup.core import (
    HaltCondition,
    PageStoreFactory,
    Register,
    SerializerFactory,
    hookimpl,
)

from pyspeedup_plaintext.folder import open_folder
from pyspeedup_plaintext.literal import LiteralSerializer
from pyspeedup_plaintext.shortlex import shortlex


@hookimpl
def pyspeedup_register_halt_conditions(register: Register[HaltCondition]) -> None:
    """Offer the end of a search through words, shortest first."""
    register("shortlex", shortlex)


@hookimpl
def pyspeedup_register_serializers(register: Register[SerializerFactory]) -> None:
    """Offer Python literals as text."""
    register("literal", LiteralSerializer)


@hookimpl
def pyspeedup_register_page_stores(register: Register[PageStoreFactory]) -> None:
    """Offer a file a page."""
    register("folder", open_folder)
