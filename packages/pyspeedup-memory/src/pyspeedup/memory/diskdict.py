"""DiskDict: a dict whose items live on disk, in pages."""

from __future__ import annotations

import reprlib
from operator import length_hint
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, SupportsIndex, TypeVar, overload

from pyspeedup.memory._dict.content import DictContent
from pyspeedup.memory._dict.front import ABSENT, Hot
from pyspeedup.memory._dict.index import MAX_ENTRY
from pyspeedup.memory._dict.items_to_set import in_chunks
from pyspeedup.memory._dict.operators import Operators
from pyspeedup.memory._dict.views import DiskItems, DiskKeys, DiskValues
from pyspeedup.memory._handle import Handle
from pyspeedup.memory._short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

    from _typeshed import SupportsKeysAndGetItem

    from pyspeedup.memory._dict.runs import Columns

__all__ = ["DiskDict"]

K = TypeVar("K")
V = TypeVar("V")
T = TypeVar("T")

MOST_AT_ONCE = 2_048
"""So many items of a larger update are written together."""
FIRST_RUN = 8
"""How many entries an iterator reads at first; four times as many each time, while nothing changes."""


class DiskDict(Handle[DictContent], Operators[K, V]):
    """A dict kept on disk, of which a bounded part is in RAM.

    It does whatever a dict does, in the same order and with the same errors; `Handle` tells about
    opening, saving and closing. Keys may be whatever a dict takes and the serializer keeps. Values are
    kept as they are changed: ``d[k].append(x)`` is on disk after the next `sync` or `close`.

    Differences: it is no subclass of dict; `repr` shows a large one in part; it cannot be pickled;
    an object that was put in twice is two objects once both left RAM; a NaN, which equals nothing,
    is found by identity only while it is in RAM.

    Looking up, setting and deleting cost O(1), and some looks at a few bytes where the item is not in
    RAM. Values that the serializer refuses raise `SerializationError`, naming the key, and
    change nothing. Used after `close`, everything raises `ValueError`.

    >>> import tempfile
    >>> from pyspeedup.memory import DiskDict
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with DiskDict("letters", file_location=folder) as d:
    ...         for i in range(10):
    ...             d[i] = chr(97 + i)
    ...     with DiskDict("letters", file_location=folder) as d:
    ...         len(d), list(d)[-1], d[3]
    (10, 9, 'd')
    """

    content_class: ClassVar[type[DictContent]] = DictContent
    _hot: Hot
    __hash__ = None  # as dict: equal by content, so not hashable

    @classmethod
    def fromkeys(
        cls, iterable: Iterable[K], value: Any = None, /, *arguments: Any, **options: Any
    ) -> Self:
        """Open ``cls(*arguments, **options)`` and set each key of `iterable` to `value`, in O(keys).

        `arguments` and `options` are the constructor's, since the dict must be kept somewhere.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with DiskDict.fromkeys("ab", 0, "counts", file_location=folder) as d:
        ...         d
        {'a': 0, 'b': 0}
        """
        made = cls(*arguments, **options)
        try:
            for key in iterable:
                made[key] = value
        except BaseException:
            made.close()
            raise
        return made

    # ---- one key -------------------------------------------------------------------------------

    def __getitem__(self, key: K, /) -> V:
        """Return the value of `key`, in O(1); `KeyError` where there is none.

        A subclass's ``__missing__`` is asked first, as with a dict.
        """
        value = self._hot[key]  # loads what it does not hold
        if value is not ABSENT:
            return value  # type: ignore[no-any-return]  # pages hold anything
        missing = getattr(type(self), "__missing__", None)
        if missing is None:
            raise KeyError(key)
        return missing(self, key)  # type: ignore[no-any-return]  # a subclass says

    def __setitem__(self, key: K, value: V, /) -> None:
        """Give `key` the value, in O(1); a key that is there keeps its place.

        `SerializationError` for a key or value that cannot be kept; nothing is changed then.
        """
        content = self._content
        with content.lock:
            content.set(key, value)

    def __delitem__(self, key: K, /) -> None:
        """Take `key` out, in O(1); `KeyError` where it is not."""
        content = self._content
        with content.lock:
            if not content.remove(key):
                raise KeyError(key)

    def __contains__(self, key: object, /) -> bool:
        """Return whether there is such a key, in O(1)."""
        if key in self._hot:
            return True
        content = self._content
        with content.lock:
            return content.has(key)

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V, /) -> V: ...
    @overload
    def get(self, key: K, default: T, /) -> V | T: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """Return the value of `key`, or `default`, in O(1).

        >>> with DiskDict.temporary() as d:
        ...     d.get("a"), d.get("a", 0)
        (None, 0)
        """
        value = self._hot.get(key, ABSENT)
        if value is ABSENT:
            value = self._content.load(key)
        return default if value is ABSENT else value

    @overload
    def setdefault(self: DiskDict[K, T | None], key: K, default: None = None, /) -> T | None: ...
    @overload
    def setdefault(self, key: K, default: V, /) -> V: ...
    def setdefault(self, key: K, default: Any = None, /) -> Any:
        """Return the value of `key`, which is set to `default` where there is none, in O(1).

        >>> with DiskDict.temporary() as d:
        ...     d.setdefault("a", []).append(1)
        ...     d
        {'a': [1]}
        """
        content = self._content
        with content.lock:
            value = content.load(key)
            if value is ABSENT:
                content.set(key, default)
                return default
            return value

    @overload
    def pop(self, key: K, /) -> V: ...
    @overload
    def pop(self, key: K, default: V, /) -> V: ...
    @overload
    def pop(self, key: K, default: T, /) -> V | T: ...
    def pop(self, key: K, default: Any = ABSENT, /) -> Any:
        """Take `key` out and return its value, in O(1); else `default`, or `KeyError` without one.

        >>> with DiskDict.temporary() as d:
        ...     d["a"] = 1
        ...     d.pop("a"), d.pop("a", None)
        (1, None)
        """
        content = self._content
        with content.lock:
            # An empty dict does not look at the key, not even whether it is hashable.
            value = ABSENT if content.is_empty else content.load(key)
            if value is not ABSENT:
                content.remove(key)
                return value
        if default is ABSENT:
            raise KeyError(key)
        return default

    def popitem(self) -> tuple[K, V]:
        """Take the last item out and return it, in O(1); `KeyError` where there is none.

        >>> with DiskDict.temporary() as d:
        ...     d.update(a=1, b=2)
        ...     d.popitem()
        ('b', 2)
        """
        content = self._content
        with content.lock:
            if not len(content):
                raise KeyError("popitem(): dictionary is empty")
            return content.pop_last()

    # ---- all of it -----------------------------------------------------------------------------

    def __len__(self) -> int:
        """Return the number of items, in O(1), or O(items set since the last flush)."""
        content = self._content
        with content.lock:
            return len(content)

    def __iter__(self) -> Iterator[K]:
        """Return an iterator over the keys, the first inserted first.

        It raises `RuntimeError` where keys were added or removed meanwhile.
        """
        return self._scan("keys")

    def __reversed__(self) -> Iterator[K]:
        """Return an iterator over the keys, the last inserted first."""
        return self._scan("keys", backwards=True)

    def keys(self) -> DiskKeys[K]:
        """Return a live view of the keys, which is a set, in O(1).

        >>> with DiskDict.temporary() as d:
        ...     d.update(a=1, b=2)
        ...     d.keys() & {"b", "c"}
        {'b'}
        """
        self._require_open()
        return DiskKeys(self)

    def values(self) -> DiskValues[V]:
        """Return a live view of the values, in O(1).

        >>> with DiskDict.temporary() as d:
        ...     d.update(a=1, b=2)
        ...     sum(d.values())
        3
        """
        self._require_open()
        return DiskValues(self)

    def items(self) -> DiskItems[K, V]:
        """Return a live view of the pairs of key and value, in O(1).

        >>> with DiskDict.temporary() as d:
        ...     d.update(a=1, b=2)
        ...     list(reversed(d.items()))
        [('b', 2), ('a', 1)]
        """
        self._require_open()
        return DiskItems(self)

    def clear(self) -> None:
        """Take all items out, in O(pages).

        >>> with DiskDict.temporary() as d:
        ...     d.update(a=1, b=2)
        ...     d.clear()
        ...     d
        {}
        """
        with self._content.lock:
            self._content.clear()

    @overload
    def update(self, other: SupportsKeysAndGetItem[K, V], /) -> None: ...
    @overload
    def update(
        self: DiskDict[str, V], other: SupportsKeysAndGetItem[str, V], /, **named: V
    ) -> None: ...
    @overload
    def update(self, other: Iterable[tuple[K, V]], /) -> None: ...
    @overload
    def update(self: DiskDict[str, V], other: Iterable[tuple[str, V]], /, **named: V) -> None: ...
    @overload
    def update(self: DiskDict[str, V], /, **named: V) -> None: ...
    def update(self, other: Any = (), /, **named: Any) -> None:
        """Set the items of a mapping or of an iterable of pairs, and those given by name.

        Costs O(items). Items are set one by one: where one is refused, those before it are in.

        >>> with DiskDict.temporary() as d:
        ...     d.update([("a", 1)], b=2)
        ...     d.update({"a": 3})
        ...     d
        {'a': 3, 'b': 2}
        """
        if isinstance(other, DiskDict):
            other = other.items()
        most = MOST_AT_ONCE if self._content.takes_plain else 0
        for plain, others in in_chunks(other, most):
            if plain:
                with self._content.lock:
                    self._content.set_plain(plain)
            for key, value in others:
                self[key] = value
        for name, value in named.items():
            self[name] = value  # type: ignore[index]  # only a dict of str keys takes names

    @reprlib.recursive_repr("{...}")
    def __repr__(self) -> str:
        """Show the items as a dict does; where they are many, the first ones and their number."""
        if self.closed:
            return f"<closed {type(self).__name__} {self.name!r}>"
        return f"{{{short_repr(len(self), self.items(), _shown_item)}}}"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        """Refuse to be pickled: what is on disk stays there."""
        raise TypeError(
            f"cannot pickle a {type(self).__name__}; pickle d.copy(), or pass the arguments "
            f"it was opened with and open it there once it is closed here"
        )

    def _open(self, *arguments: Any) -> None:
        super()._open(*arguments)
        self._hot = self._content.hot

    def _make_unusable(self, error: type[Exception], reason: str) -> None:
        super()._make_unusable(error, reason)
        self._hot = self._content  # type: ignore[assignment]  # raises at any use

    def _require_open(self) -> None:
        self._content.lock  # noqa: B018 -- raises where the handle is closed

    def _scan(self, columns: Columns, *, backwards: bool = False) -> Iterator[Any]:
        """Return an iterator over what is asked for; it finds out when the size changes from now on."""
        return self._scanning(columns, len(self), backwards=backwards)

    def _scanning(self, columns: Columns, length: int, *, backwards: bool) -> Iterator[Any]:
        """Read runs of entries, and go on entry by entry where they change meanwhile."""
        content = self._content
        clock = content.key_clock if columns == "keys" else content.clock
        position = MAX_ENTRY if backwards else 0
        left = length
        limit = FIRST_RUN
        scan = object()
        content.scans.add(scan)
        try:
            while True:
                with self._content.lock:
                    if len(content) != length:
                        raise RuntimeError("dictionary changed size during iteration")
                    entries, found = content.run(position, columns, limit, backwards=backwards)
                    seen = clock.now
                if not entries:
                    return
                if not left:
                    raise RuntimeError("dictionary keys changed during iteration")
                limit *= 4
                if len(entries) > left:
                    del entries[left:], found[left:]
                unread = iter(found)
                for item in unread:
                    yield item
                    if clock.now != seen:
                        limit = 1
                        break
                given = len(found) - length_hint(unread)
                left -= given
                position = entries[given - 1] + (not backwards)
        finally:
            content.scans.discard(scan)


def _shown_item(item: tuple[Any, Any]) -> str:
    return f"{item[0]!r}: {item[1]!r}"
