"""DiskList: a list whose items live on disk, in pages."""

from __future__ import annotations

import operator
import reprlib
import sys
from itertools import islice
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn, SupportsIndex, TypeVar, cast, overload

from pyspeedup.memory._handle import Handle
from pyspeedup.memory._list.content import ListContent
from pyspeedup.memory._list.indexing import (
    checked_index,
    clamped_index,
    delete_slice,
    fitting_index,
    items_at,
    replace_slice,
)
from pyspeedup.memory._list.operators import Operators
from pyspeedup.memory._list.plain import LARGEST_LATE, is_late
from pyspeedup.memory._list.together import both_locked
from pyspeedup.memory._list.walking import Walk
from pyspeedup.memory._short_repr import short_repr

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self

__all__ = ["DiskList"]

T = TypeVar("T")


class DiskList(Handle[ListContent], Operators[T]):
    """A list kept on disk, of which a bounded part is in RAM.

    It does whatever a list does, with the same errors; `Handle` tells about opening, saving and
    closing. Items are kept as they are changed: ``l[i].append(x)`` is on disk after the next `sync`
    or `close`. Slices, ``+``, ``*`` and `copy` give plain lists.

    Differences: it is no subclass of list; `repr` shows a large one in part; it cannot be pickled;
    an object that was put in twice is two objects once both left RAM; `sort` calls its key twice an
    item where they are more than RAM is to hold.

    Getting and setting an item cost O(log pages), a few microseconds, whether or not it is in RAM; an
    item that could be changed in place brings its page there first. Appending costs O(1), inserting and
    deleting anywhere O(page + log pages). A change of
    several items is made whole or not at all. Items that the serializer refuses raise
    `SerializationError`, naming the index, and change nothing. Used after `close`, everything raises
    `ValueError`.

    >>> import tempfile
    >>> from pyspeedup.memory import DiskList
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with DiskList("squares", file_location=folder) as l:
    ...         for i in range(10):
    ...             l.append(i * i)
    ...     with DiskList("squares", file_location=folder) as l:
    ...         len(l), l[3], l[-2:]
    (10, 9, [64, 81])
    """

    content_class: ClassVar[type[ListContent]] = ListContent
    __hash__ = None  # as list: equal by content, so not hashable

    @overload
    def __getitem__(self, index: SupportsIndex, /) -> T: ...
    @overload
    def __getitem__(self, index: slice, /) -> list[T]: ...
    def __getitem__(self, index: SupportsIndex | slice, /) -> T | list[T]:
        """Return an item, in O(log pages), or a plain list of those of a slice, in O(items)."""
        content = self._content
        with content.lock:
            if type(index) is int:
                return content.item(index)  # type: ignore[no-any-return]  # a T
            if isinstance(index, slice):
                return items_at(content, range(len(content))[index])
            place = checked_index(index, len(content), "list index out of range")
            return content.item(place)  # type: ignore[no-any-return]  # a T

    @overload
    def __setitem__(self, index: SupportsIndex, value: T, /) -> None: ...
    @overload
    def __setitem__(self, index: slice, value: Iterable[T], /) -> None: ...
    def __setitem__(self, index: SupportsIndex | slice, value: Any, /) -> None:
        """Replace an item, in O(log pages), or those of a slice, in O(items + page)."""
        content = self._content
        if type(index) is not int and isinstance(index, slice):
            other = value._content if isinstance(value, DiskList) else content  # noqa: SLF001 -- a list too
            with both_locked(content, other):
                content.require_writable()
                replace_slice(content, index, value)
            return
        with content.lock:
            if type(index) is not int:
                content.require_writable()
                index = checked_index(index, len(content), "list assignment index out of range")
            content.set(index, value)

    def __delitem__(self, index: SupportsIndex | slice, /) -> None:
        """Remove an item, in O(page + log pages), or those of a slice, in O(items + page)."""
        content = self._content
        with content.lock:
            content.require_writable()
            if isinstance(index, slice):
                delete_slice(content, range(len(content))[index])
            else:
                place = checked_index(index, len(content), "list assignment index out of range")
                content.delete(place)

    def __len__(self) -> int:
        """Return the number of items, in O(1)."""
        return self._content.length  # which an unusable handle's content refuses

    def append(self, value: T, /) -> None:
        """Add an item at the end, in O(1).

        >>> with DiskList.temporary() as l:
        ...     l.append("a")
        ...     l
        ['a']
        """
        content = self._content
        if (
            (-LARGEST_LATE < value < LARGEST_LATE if type(value) is int else is_late(value))  # type: ignore[operator]  # an int
            and len(content.incoming) < content.most_incoming
            and monotonic() < content.open_until  # CPython changes threads behind a call only, so
        ):  # it is open still, and does not close meanwhile; nor is it opened where lines are traced
            content.incoming.append(value)
            return
        with content.lock:
            content.append(value)

    def insert(self, index: SupportsIndex, value: T, /) -> None:
        """Put an item before `index`, in O(page + log pages); an index beyond an end means the end.

        >>> with DiskList.temporary() as l:
        ...     l.insert(0, "b")
        ...     l.insert(-5, "a")
        ...     l
        ['a', 'b']
        """
        content = self._content
        with content.lock:
            content.require_writable()
            content.insert(clamped_index(self, fitting_index(index)), value)

    def pop(self, index: SupportsIndex = -1, /) -> T:
        """Remove an item, by default the last, and return it, in O(page + log pages).

        >>> with DiskList.temporary() as l:
        ...     l.extend("abc")
        ...     l.pop(), l.pop(0)
        ('c', 'a')
        """
        content = self._content
        with content.lock:
            content.require_writable()
            wanted = fitting_index(index)
            if not len(content):
                raise IndexError("pop from empty list")
            place = checked_index(wanted, len(content), "pop index out of range")
            return content.pop(place)  # type: ignore[no-any-return]  # a T

    def remove(self, value: T, /) -> None:
        """Remove the first item equal to `value`, in O(n); `ValueError` where there is none.

        >>> with DiskList.temporary() as l:
        ...     l.extend("aba")
        ...     l.remove("a")
        ...     l
        ['b', 'a']
        """
        content = self._content
        with content.lock:
            content.require_writable()
            for place, item in enumerate(self):
                if item is value or item == value:
                    del self[place : place + 1]
                    return
        raise ValueError("list.remove(x): x not in list")

    def extend(self, values: Iterable[T], /) -> None:
        """Add items at the end, in O(items); those of a list, tuple, range or `DiskList` all or none.

        Of any other iterable they are added one by one, as it gives them.

        >>> with DiskList.temporary() as l:
        ...     l.extend(range(3))
        ...     l.extend(l)
        ...     l
        [0, 1, 2, 0, 1, 2]
        """
        content = self._content
        if isinstance(values, list | tuple | range | DiskList):
            other = values._content if isinstance(values, DiskList) else content  # noqa: SLF001 -- a list too
            with both_locked(content, other):
                content.require_writable()
                content.replace(len(content), len(content), values)
            return
        iterator = iter(values)
        content.require_writable()
        for value in iterator:
            self.append(value)

    def clear(self) -> None:
        """Remove all items, in O(pages), each of which is read.

        >>> with DiskList.temporary() as l:
        ...     l.extend("abc")
        ...     l.clear()
        ...     l
        []
        """
        content = self._content
        with content.lock:
            content.require_writable()
            content.clear()

    def reverse(self) -> None:
        """Turn the order round, in O(n).

        >>> with DiskList.temporary() as l:
        ...     l.extend("abc")
        ...     l.reverse()
        ...     l
        ['c', 'b', 'a']
        """
        content = self._content
        with content.lock:
            content.require_writable()
            content.reverse()

    def sort(self, *, key: Callable[[T], Any] | None = None, reverse: object = False) -> None:
        """Sort the items stably, in O(n log n); items that do not fit into RAM are merged from disk.

        Whatever `key` or a comparison raises is passed on, and nothing has changed then;
        `ValueError` if they change the list. `key` is called once an item, or twice if the items
        are more than RAM is to hold.

        >>> with DiskList.temporary() as l:
        ...     l.extend(["b", "A", "c"])
        ...     l.sort(key=str.lower, reverse=True)
        ...     l
        ['c', 'b', 'A']
        """
        is_reversed = bool(reverse)
        content = self._content
        with content.lock:
            content.require_writable()
            content.sort(key, reverse=is_reversed)

    def __iter__(self) -> Iterator[T]:
        """Return an iterator over the items, which sees what is changed meanwhile, as a list's does."""
        return self._walk(0)

    def __reversed__(self) -> Iterator[T]:
        """Return an iterator over the items, the last one first."""
        return self._walk(len(self), backwards=True)

    def _walk(self, index: int, *, backwards: bool = False) -> Iterator[T]:
        """Iterate over runs of items that are decoded in one go, and told of what changes."""
        walk = Walk(index, backwards=backwards)
        under_way: list[Walk] = []
        try:
            while True:
                content = self._content
                with content.lock:
                    index = walk.end()
                    if index > len(content) or index == (0 if backwards else len(content)):
                        return
                    find = content.chunk_before if backwards else content.chunk
                    run = walk.begin(find(index, walk.limit))
                    if under_way is not content.walks.under_way:
                        under_way = content.walks.under_way
                        under_way.append(walk)
                yield from run
        finally:
            if walk in under_way:
                under_way.remove(walk)

    def __contains__(self, value: object, /) -> bool:
        """Return whether an item is `value` or equals it, in O(n)."""
        return value in cast("Iterator[object]", self._walk(0))

    def index(
        self, value: T, start: SupportsIndex = 0, stop: SupportsIndex = sys.maxsize, /
    ) -> int:
        """Return where, from `start` to `stop`, the first item equal to `value` is, in O(n).

        `ValueError` where there is none.

        >>> with DiskList.temporary() as l:
        ...     l.extend("abab")
        ...     l.index("b"), l.index("b", 2)
        (1, 3)
        """
        first, last = clamped_index(self, start), clamped_index(self, stop)
        for place, item in enumerate(islice(self._walk(first), max(0, last - first)), first):
            if item is value or item == value:
                return place
        raise ValueError(f"{value!r} is not in list")

    def count(self, value: T, /) -> int:
        """Return how many items are `value` or equal it, in O(n).

        >>> with DiskList.temporary() as l:
        ...     l.extend("aba")
        ...     l.count("a")
        2
        """
        return operator.countOf(self._walk(0), value)

    def __iadd__(self, values: Iterable[T], /) -> Self:  # type: ignore[override]  # ``+`` gives a list
        """Add items at the end, as `extend` does."""
        self.extend(values)
        return self

    def __imul__(self, times: SupportsIndex, /) -> Self:  # type: ignore[override]  # ``*`` gives a list
        """Repeat the items in place, in O(n times); all or nothing."""
        if not hasattr(type(times), "__index__"):
            raise TypeError(f"can't multiply sequence by non-int of type '{type(times).__name__}'")
        wanted = operator.index(times)
        _ = [] * wanted  # OverflowError where it is beyond all sizes
        content = self._content
        with content.lock:
            content.require_writable()
            if len(content) * wanted > sys.maxsize:
                raise MemoryError(f"no list has {len(content) * wanted} items")
            if wanted <= 0 or not len(content):
                content.clear()
            else:
                content.repeat(wanted - 1)
        return self

    @reprlib.recursive_repr("[...]")
    def __repr__(self) -> str:
        """Show the items as a list does; where they are many, the first ones and their number."""
        if self.closed:
            return f"<closed {type(self).__name__} {self.name!r}>"
        return f"[{short_repr(len(self), self, repr)}]"

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> NoReturn:
        """Refuse to be pickled: what is on disk stays there."""
        raise TypeError(
            f"cannot pickle a {type(self).__name__}; pickle l.copy(), or pass the arguments "
            f"it was opened with and open it there once it is closed here"
        )
