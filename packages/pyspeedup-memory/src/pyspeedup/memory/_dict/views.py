"""The live views of a `DiskDict`: its keys, values and items, as ``dict`` has them."""

from __future__ import annotations

from collections.abc import ItemsView, KeysView, ValuesView
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from pyspeedup.memory._short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pyspeedup.memory.diskdict import DiskDict

__all__ = ["DiskItems", "DiskKeys", "DiskValues"]

K = TypeVar("K")
V = TypeVar("V")


class DiskKeys(KeysView[K]):
    """What ``d.keys()`` returns: a set that shows the dict as it is now."""

    _mapping: DiskDict[K, Any]

    @property
    def mapping(self) -> Mapping[K, Any]:
        """The dict, without its methods that change it."""
        return MappingProxyType(self._mapping)

    def __reversed__(self) -> Iterator[K]:
        """Return an iterator from the last key to the first."""
        return reversed(self._mapping)

    def __repr__(self) -> str:
        return f"dict_keys([{short_repr(len(self), self, repr)}])"


class DiskValues(ValuesView[V]):
    """What ``d.values()`` returns: the values as they are now."""

    _mapping: DiskDict[Any, V]

    @property
    def mapping(self) -> Mapping[Any, V]:
        """The dict, without its methods that change it."""
        return MappingProxyType(self._mapping)

    def __iter__(self) -> Iterator[V]:
        return self._mapping._scan("values")  # noqa: SLF001 -- the other half of a view

    def __contains__(self, value: object) -> bool:
        return any(item is value or item == value for item in self)

    def __reversed__(self) -> Iterator[V]:
        """Return an iterator from the last value to the first."""
        return self._mapping._scan("values", backwards=True)  # noqa: SLF001 -- as above

    def __repr__(self) -> str:
        return f"dict_values([{short_repr(len(self), self, repr)}])"


class DiskItems(ItemsView[K, V]):
    """What ``d.items()`` returns: pairs of key and value as they are now, much like a set."""

    _mapping: DiskDict[K, V]

    @property
    def mapping(self) -> Mapping[K, V]:
        """The dict, without its methods that change it."""
        return MappingProxyType(self._mapping)

    def __iter__(self) -> Iterator[tuple[K, V]]:
        return self._mapping._scan("items")  # noqa: SLF001 -- as above

    def __contains__(self, item: object) -> bool:
        if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 -- a pair
            return False
        missing = object()
        found = self._mapping.get(item[0], missing)
        return found is not missing and (found is item[1] or bool(found == item[1]))

    def __reversed__(self) -> Iterator[tuple[K, V]]:
        """Return an iterator from the last item to the first."""
        return self._mapping._scan("items", backwards=True)  # noqa: SLF001 -- as above

    def __repr__(self) -> str:
        return f"dict_items([{short_repr(len(self), self, repr)}])"
