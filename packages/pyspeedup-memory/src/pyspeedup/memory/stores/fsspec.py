"""Pages wherever fsspec reaches: a file a page in S3, GCS, Azure, SFTP, a folder, RAM; by shadow paging."""

from __future__ import annotations

import errno
from collections.abc import MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspeedup.memory import _platform
from pyspeedup.memory.stores.shadow import ShadowStore

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FsspecStore", "fsspec_folder"]

PAGES_FOLDER = "pages"
UNFINISHED = ".new"
"""Ends the name of a local file until it is whole, as `replace_file` has it."""


class Files(MutableMapping[str, bytes]):
    """The files of one folder of an fsspec file system, by name.

    Putting a file is as atomic as the file system's own upload is; in a local folder it is put whole by
    renaming. Errors are `OSError`, and name the file. Each operation costs one request, iterating one
    for each page of the file system's listing.
    """

    def __init__(self, filesystem: Any, folder: str, name: str) -> None:
        """Keep `filesystem`, and `folder` without its protocol; `name` is what errors call it."""
        self._filesystem = filesystem
        self._folder = folder.rstrip("/")
        self._name = name.rstrip("/")
        protocols = filesystem.protocol
        self._is_local = "file" in ((protocols,) if isinstance(protocols, str) else protocols)

    def _path(self, key: str) -> str:
        return f"{self._folder}/{key}"

    def __getitem__(self, key: str) -> bytes:
        try:
            with self._named(key):
                return bytes(self._filesystem.cat_file(self._path(key)))
        except FileNotFoundError as error:
            raise KeyError(key) from error

    def __setitem__(self, key: str, value: bytes) -> None:
        with self._named(key):
            try:
                self._put(key, value)
            except FileNotFoundError:  # the first file of a folder, where folders must be made
                self._filesystem.makedirs(self._folder, exist_ok=True)
                self._put(key, value)

    def _put(self, key: str, value: bytes) -> None:
        if self._is_local:
            _platform.replace_file(Path(self._path(key)), value)
        else:
            self._filesystem.pipe_file(self._path(key), value)

    def __delitem__(self, key: str) -> None:
        try:
            with self._named(key):
                self._filesystem.rm_file(self._path(key))
        except FileNotFoundError as error:
            raise KeyError(key) from error

    def __iter__(self) -> Iterator[str]:
        return (name for name in self._names() if not name.endswith(UNFINISHED))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _names(self) -> list[str]:
        try:
            with self._named(""):
                self._filesystem.invalidate_cache(self._folder)  # others may have written to it
                found = self._filesystem.find(self._folder, maxdepth=1)
        except FileNotFoundError:  # there is no such folder yet
            return []
        return [path.rpartition("/")[2] for path in found]

    def drop_unfinished(self) -> None:
        """Delete what a process that was killed left half written; it never was under its name."""
        for name in self._names() if self._is_local else ():
            if name.endswith(UNFINISHED):
                del self[name]

    @contextmanager
    def _named(self, key: str) -> Iterator[None]:
        """Make an `OSError` that names the file of whatever goes wrong."""
        place = f"{self._name}/{key}"
        try:
            yield
        except OSError as error:
            if error.errno is None:  # without one, Python leaves the name out of the message
                error.errno, error.strerror = errno.EIO, str(error) or type(error).__name__
            if error.filename is None:
                error.filename = place
            raise
        except Exception as error:  # a stranger's file system may raise anything
            raise OSError(errno.EIO, f"{type(error).__name__}: {error}", place) from error


class FsspecStore(ShadowStore):
    """A page store in a folder of any file system that fsspec knows; needs the extra ``fsspec``.

    A page is a file, written once under a name of its own, and a commit replaces the file ``HEAD``. So
    a commit is as atomic as replacing one file is: object stores, local folders and RAM do it at once;
    over SFTP, FTP or SMB a process killed in just that moment can leave half of it, which is found.
    Reading and writing a page are a request each, and a commit is some more, so it wants large pages and
    few commits. There is no lock: a writer that finds that another has committed raises
    `StoreLockedError`. What `durable` promises is what the file system's own uploads do.

    >>> store = FsspecStore("memory://bucket/words")
    >>> store.open(create=True, readonly=False)
    >>> store.write(0, b"zero")
    >>> store.commit(b"first")
    >>> store.close()
    >>> again = FsspecStore("memory://bucket/words")
    >>> again.open(create=False, readonly=True), again.read(0)
    (b'first', b'zero')
    """

    def __init__(self, url: str, *, filesystem: Any = None, **storage_options: Any) -> None:
        """Keep the folder that `url` names; nothing is touched before `open`.

        `storage_options` (credentials, endpoints) are those of the URL's file system, as fsspec has
        them. Or `filesystem` is one that you have made, and `url` a path in it.
        `ModuleNotFoundError` where fsspec, or what it needs for this protocol, is not installed;
        `ValueError` for a protocol that fsspec does not know.
        """
        if not isinstance(url, str):
            raise TypeError(f"url must be a str such as 's3://bucket/folder', not {url!r}")
        if filesystem is None:
            filesystem, folder = _import_fsspec().core.url_to_fs(url, **storage_options)
        elif storage_options:
            raise TypeError(f"filesystem is made already, and takes no options: {storage_options}")
        else:
            folder = filesystem._strip_protocol(url)  # noqa: SLF001 -- what fsspec's own get_mapper does
        self._files = Files(filesystem, folder, url)
        super().__init__(self._files, url)

    def open(self, *, create: bool, readonly: bool) -> bytes | None:
        """Return the last committed meta, reading ``HEAD`` and no page; see `PageStore`."""
        meta = super().open(create=create, readonly=readonly)
        if not readonly:
            self._files.drop_unfinished()
        return meta


def fsspec_folder(location: str, basename: str) -> FsspecStore:
    """Make the store that the name ``"fsspec"`` stands for: the folder ``pages`` in the store's own.

    Such a folder can be copied to any place that fsspec reaches, and be opened there by its URL.

    >>> fsspec_folder("/data/words.pyspeedup", "words").open(create=False, readonly=True)
    Traceback (most recent call last):
    FileNotFoundError: /data/words.pyspeedup/pages does not exist
    """
    del basename
    local = _import_fsspec().filesystem("file")
    return FsspecStore(f"{location}/{PAGES_FOLDER}", filesystem=local)


def _import_fsspec() -> Any:
    try:
        import fsspec  # an extra, and 40 ms
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "page store 'fsspec' needs fsspec: pip install 'pyspeedup-memory[fsspec]'",
            name="fsspec",
        ) from error
    return fsspec
