"""What a user holds: finds or makes the shared content, saves it, closes it, refuses use after that."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from pyspeedup.memory import _sharing
from pyspeedup.memory._arguments import bytes_or_none, positive_int, seconds
from pyspeedup.memory._content import Content
from pyspeedup.memory._storage.codecs import choose_serializer, describe
from pyspeedup.memory._storage.header import MADE_WITHOUT_KEY
from pyspeedup.memory._storage.location import Place, find_place
from pyspeedup.memory._storage.opening import OpenStore, Wanted, back_up, open_object, open_place

if TYPE_CHECKING:
    import os
    from collections.abc import MutableMapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from pyspeedup.core import PageStore, Serializer
    from pyspeedup.memory._storage.copying import Progress

__all__ = ["DEFAULT_RAM_LIMIT", "Handle"]

DEFAULT_RAM_LIMIT = 16 * 2**20
"""Bytes of pages kept in RAM."""

C = TypeVar("C", bound=Content)


class Handle(Generic[C]):
    """The base of `DiskDict` and `DiskList`: opening, sharing, syncing and closing of a store.

    A subclass sets `content_class`; its operations go to ``self._content``, which raises `ValueError`
    by itself once the handle is closed, and `RuntimeError` in a forked child.
    """

    content_class: ClassVar[type[Content]]
    _content: C

    def __init__(
        self,
        file_basename: str,
        size_limit: int = 1024,
        max_pages: int = 16,
        file_location: str | os.PathLike[str] | None = None,
        *,
        serializer: str | Serializer | None = None,
        page_store: str | PageStore | MutableMapping[str, bytes] | None = None,
        readonly: bool = False,
        ram_limit: int = DEFAULT_RAM_LIMIT,
        sync_every: float = 30.0,
        map_limit: int | None = None,
        journal: bool = False,
        keyed_hash: bool = False,
        trust: bool = False,
    ) -> None:
        """Open the store of that name, or make it, reading no value.

        `size_limit` is how many items a page holds (a store that exists keeps its own), `max_pages`
        how many pages stay in RAM, which `ram_limit` bounds in bytes too. `file_location` is the
        folder for stores: None is ``~/.PySpeedup``, "" the current folder. `serializer` and
        `page_store` are registered names or objects, by default what wrote the store. After
        `sync_every` seconds of changes, or 4,096 changed pages, they are committed at the next one; where
        that raises `OSError`, nothing is lost: a `DiskDict` commits before the operation, which was not
        done then, a `DiskList` after it (but before a pop). `map_limit` bounds in bytes how much of its file
        a page store maps that does (``"file"``, ``"lmdb"``), and so what that adds to the resident
        memory: None is 64 MiB, and with 0 ``"file"`` maps nothing. With `journal` every
        change outlives kill -9 once its call has returned, and not at the next commit only: it is recorded
        in a file beside the pages first, for some microseconds each, and taken up by the next
        opening for writing. Values changed in place, as by ``d[k].append(x)``, are not recorded: they are in
        the next commit. `keyed_hash` makes a `DiskDict` whose keys strangers may choose: text and bytes are
        hashed with a secret of the store, so that nobody can make many keys of one hash, which would be
        slow; a store that exists keeps its own. `trust` opens a store that
        others could have written though reading it runs code of theirs.

        Raises `TypeError` and `ValueError` naming the argument, `ValueError` also for a
        store of another kind, serializer or page store, made without `keyed_hash`, or open in this
        process with other options;
        `StoreLockedError`, `StoreCorruptedError`, `UntrustedStoreError`; `OSError` naming a folder
        that cannot be written, and `FileNotFoundError` for a missing one with `readonly`.
        """
        options = {
            "size_limit": positive_int("size_limit", size_limit),
            "max_pages": positive_int("max_pages", max_pages),
            "readonly": bool(readonly),
            "ram_limit": positive_int("ram_limit", ram_limit),
            "sync_every": seconds("sync_every", sync_every),
            "map_limit": bytes_or_none("map_limit", map_limit),
            "journal": bool(journal),
            "keyed_hash": bool(keyed_hash),
            "trust": bool(trust),
        }
        if journal and readonly:
            raise ValueError(
                "journal=True records changes, and readonly=True allows none: choose one"
            )
        if keyed_hash and self.content_class.kind != "dict":
            raise ValueError(
                f"keyed_hash=True is for the keys of a DiskDict, and a {type(self).__name__} has none: "
                "leave it out"
            )
        place = find_place(file_basename, file_location)
        self._place = place if isinstance(page_store, str) or page_store is None else None
        self._name = file_basename
        self._open(place, options, serializer, page_store)

    @classmethod
    def temporary(cls, size_limit: int = 1024, max_pages: int = 16, **options: Any) -> Self:
        """Open a new store in a folder of its own, which is removed when the last handle closes.

        Takes the constructor's keywords. A process that is killed leaves the folder behind, in
        `tempfile.gettempdir()`.
        """
        import shutil  # with tempfile 10 ms, and few programs need them
        import tempfile

        folder = tempfile.mkdtemp(prefix="pyspeedup-")
        try:
            handle = cls("temporary", size_limit, max_pages, folder, **options)
        except BaseException:
            shutil.rmtree(folder)
            raise
        handle._shared.clean_up = partial(shutil.rmtree, folder)
        return handle

    def _open(
        self,
        place: Place,
        options: dict[str, Any],
        serializer: str | Serializer | None,
        page_store: str | PageStore | MutableMapping[str, bytes] | None,
    ) -> None:
        by_name = isinstance(page_store, str) or page_store is None
        self._shared = _sharing.shared(place.key if by_name else id(page_store))
        release, stand_in = self._shared.release, object()
        with self._shared.lock:
            try:
                # First, so that a handle collected meanwhile is not the last, nor an interruption
                # leaves open what no handle would ever close.
                self._shared.handles.add(stand_in)
                self._finalizer = weakref.finalize(self, release, stand_in)
                if self._shared.content is None:
                    self._open_content(place, options, serializer, page_store)
                else:
                    self._require_same(options, serializer, page_store)
                self._content = self._shared.content  # type: ignore[assignment]  # checked: of our kind
                _sharing.usable_handles[id(self)] = self
            except BaseException:
                release(stand_in)
                raise

    def _open_content(
        self,
        place: Place,
        options: dict[str, Any],
        serializer: str | Serializer | None,
        page_store: str | PageStore | MutableMapping[str, bytes] | None,
    ) -> None:
        wanted = Wanted(
            kind=self.content_class.kind,
            page_size=options["size_limit"],
            serializer=serializer,
            readonly=options["readonly"],
            trust=options["trust"],
            map_limit=options["map_limit"],
            journal=options["journal"],
            keyed_hash=options["keyed_hash"],
        )
        make = self._content_class(journal=wanted.journal)
        store: OpenStore
        if page_store is None or isinstance(page_store, str):
            store = open_place(place, page_store, wanted)
        else:
            store = open_object(page_store, wanted, repr(place.name))
        try:
            content = make(
                store.volume,
                max_pages=options["max_pages"],
                ram_limit=options["ram_limit"],
                sync_every=options["sync_every"],
            )
            self._see_to_journal(content, store, wanted=wanted.journal)
        except BaseException:
            store.close()
            raise
        self._shared.content = content
        self._shared.store = store
        self._shared.options = {**options, "page_store": page_store, "map_limit": store.map_limit}

    def _content_class(self, *, journal: bool) -> type[Content]:
        if not journal:
            return self.content_class
        from pyspeedup.memory._journal.opening import journalled_class  # few programs need it

        return journalled_class(self.content_class.kind)

    def _see_to_journal(self, content: Content, store: OpenStore, *, wanted: bool) -> None:
        """Take up the journal that a killed process left, and begin one where that is wanted."""
        path = store.journal_path
        if path is None or not (wanted or path.exists()):
            return
        from pyspeedup.memory._journal.opening import begin_journal, take_up_journal  # as above

        if path.exists():
            take_up_journal(content, path)
        if wanted:
            store.journal = begin_journal(content, path)

    def _require_same(
        self,
        options: dict[str, Any],
        serializer: str | Serializer | None,
        page_store: str | PageStore | MutableMapping[str, bytes] | None,
    ) -> None:
        """Raise `ValueError` where a second handle asks for other options than the first got."""
        content = self._shared.content
        assert content is not None  # noqa: S101 -- tells the type checker what the caller has tested
        name = content.volume.name
        if content.kind != self.content_class.kind:
            raise ValueError(
                f"{name} holds a {content.kind}, and cannot be opened as a {self.content_class.kind}"
            )
        wanted, _ = choose_serializer(serializer, content.volume.serializer_record)
        has, asks = describe(content.volume.serializer), describe(wanted)
        if serializer is not None and has != asks:  # both read it, but not the same of it
            raise ValueError(
                f"{name} is open in this process already with serializer {has}; "
                f"a second handle cannot have {asks}"
            )
        live = self._shared.options
        asked = dict(options)
        if asked["size_limit"] == content.volume.page_size:
            del asked["size_limit"]
        if asked["map_limit"] is None:
            del asked["map_limit"]
        if asked.pop("keyed_hash") and content.volume.secret is None:
            raise ValueError(f"{name} {MADE_WITHOUT_KEY}")
        if page_store is not None:
            asked["page_store"] = page_store
        for option, value in asked.items():
            if value != live[option]:
                raise ValueError(
                    f"{name} is open in this process already with {option}={live[option]!r}; "
                    f"a second handle cannot have {option}={value!r}"
                )

    @property
    def name(self) -> str:
        """The store's `file_basename`."""
        return self._name

    @property
    def location(self) -> Path | None:
        """The folder that the store's own folder is in; None where `page_store` was an object."""
        return self._place.location if self._place else None

    @property
    def closed(self) -> bool:
        """Whether `close` has been called, here or in the process that this one was forked from."""
        return isinstance(self._content, _sharing.Unusable)

    def sync(self, *, durable: bool = False) -> None:
        """Commit every change so far, in O(changes); with `durable`, a loss of power keeps it too.

        Without, they outlive the process however it ends, kill -9 included. Raises `OSError` for a
        full disk and `SerializationError` for a value changed in place into something that cannot be
        written; either way nothing is lost, and it can be tried again.
        """
        self._content.flush(durable=durable)
        if durable and self._shared.store is not None:
            self._shared.store.sync_folder()

    def transaction(self) -> AbstractContextManager[None]:
        """Group what the ``with`` block does: all of it is committed at its end, or none of it.

        An exception that leaves the block takes everything back to how it was before. Values that
        were taken out within it are no longer connected then. Other threads wait meanwhile, but for
        looking up what a `DiskDict` has in RAM. A transaction
        inside another is part of the outer one, which alone commits, or takes back.

        Where a store cannot be reached and taking back raises too, nothing is read or changed until that
        is made good: whatever is asked tries it first, and raises `StoreError` where it fails again.
        """
        return self._content.transaction()

    def backup(
        self,
        file_location: str | os.PathLike[str],
        file_basename: str | None = None,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Copy everything to a new store in another folder, in O(bytes), while this stays open.

        The copy has this store's name unless `file_basename` gives another, the same serializer and
        page store (``"file"`` where that has no folder), and outlasts a loss of power. Every page is
        checked on the way. `progress` is called with a list of what is copied one by one, page numbers,
        and yields them again as they are asked for, as ``tqdm.tqdm`` does.

        Raises `FileExistsError` where there is such a store, what `sync` and the constructor raise,
        what `progress` raises, and `ValueError` or `RuntimeError` where that leaves pages out or changes
        what is copied; nothing is left behind then.
        """
        name = self._name if file_basename is None else file_basename
        with self._content.lock:
            self._content.flush()
            store = self._shared.store
            assert store is not None  # noqa: S101 -- tells the type checker that this is not closed
            back_up(store, find_place(name, file_location), progress)

    def close(self) -> None:
        """Save everything and let go of the store; again is harmless.

        Where saving raises, the handle stays open, so that what is in the way can be mended. What a
        transaction did that could not be taken back is dropped.
        """
        if self.closed:
            return
        self._content.save()
        self._make_unusable(ValueError, "closed")
        self._finalizer()

    def _make_unusable(self, error: type[Exception], reason: str) -> None:
        message = f"this {type(self).__name__} ({self._name!r}) is {reason}"
        self._content = _sharing.Unusable(error, message)  # type: ignore[assignment]  # raises at any use
        _sharing.usable_handles.pop(id(self), None)

    def _forked(self) -> None:
        """Become unusable in a forked child, which shares neither RAM nor lock with its parent."""
        self._finalizer.detach()
        reason = (
            "open in the process that this one was forked from; open it anew after that closed it"
        )
        self._make_unusable(RuntimeError, reason)

    def __enter__(self) -> Self:
        """Return the handle itself."""
        self._content.lock  # noqa: B018 -- raises where the handle is closed
        return self

    def __exit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Save and close, whether or not an exception passes through."""
        self.close()
