"""What a contender is: how it is opened, told to commit, and closed; and those that have both structures."""

from __future__ import annotations

import collections.abc
import importlib
import importlib.util
import pickle
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from memory.watch import require

if TYPE_CHECKING:
    from pathlib import Path

    from memory import thin

COMMIT_EVERY = 10_000
"""Writes a transaction, where a peer has transactions."""


class Peer:
    """A store of a peer, opened: `content` is used as a dict or a list is."""

    name: ClassVar[str]
    module: ClassVar[str] = "pickle"
    most: ClassVar[int] = 2_000_000
    slow: ClassVar[bool] = False
    """Whether it takes so long that --slow-once lets it take part in the first round only."""

    content: Any
    _pending = 0

    @classmethod
    def installed(cls) -> bool:
        """Return whether it can take part here."""
        return importlib.util.find_spec(cls.module.partition(".")[0]) is not None

    @classmethod
    def load(cls) -> None:
        """Import what it needs, off the watch."""
        importlib.import_module(cls.module)

    def __init__(self, folder: Path) -> None:
        raise NotImplementedError

    def commit(self) -> None:
        """Make what was written permanent."""

    def wrote(self, operations: int) -> None:
        """Commit, where that many more writes make it due."""
        self._pending += operations
        if self._pending >= COMMIT_EVERY:
            self.commit()
            self._pending = 0

    def count(self) -> int:
        """Return how many items there are."""
        return len(self.content)

    def close(self) -> None:
        """Close it, with everything kept."""
        self.content.close()

    def require(self, what: str, found: object, expected: object) -> None:
        """Raise `WrongAnswerError` unless what it answered is what a dict or a list would."""
        require(what, found, expected)


class Plain(Peer):
    """What stays in RAM altogether, and is pickled as a whole when it is closed."""

    most = 10_000_000
    kind: ClassVar[type]

    def __init__(self, folder: Path) -> None:
        self._path = folder / "content.pickle"
        self.content = pickle.loads(self._path.read_bytes()) if self._path.exists() else self.kind()

    def close(self) -> None:
        """Pickle it."""
        with self._path.open("wb") as file:
            pickle.dump(self.content, file, -1)


class PySpeedup(Peer):
    """Ours as it comes."""

    name = "pyspeedup"
    module = "pyspeedup.memory"
    most = 10_000_000
    kind: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        kind = getattr(importlib.import_module(self.module), self.kind)
        self.content = kind("bench", file_location=folder)

    def commit(self) -> None:
        """Commit."""
        self.content.sync()

    def wrote(self, operations: int) -> None:
        """Leave it to the structure when to commit."""


class DiskCache(Peer):
    """diskcache in transactions, which make its look-ups faster, too; synchronous=OFF."""

    name = module = "diskcache"
    slow = True
    kind: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        import diskcache

        self._cache = diskcache.Cache(str(folder), eviction_policy="none", sqlite_synchronous=0)
        self.content = getattr(diskcache, self.kind).fromcache(self._cache)
        self._enter()

    def _enter(self) -> None:
        self._transaction = self.content.transact()
        self._transaction.__enter__()

    def commit(self) -> None:
        """End the transaction, and enter the next."""
        self._transaction.__exit__(None, None, None)
        self._enter()

    def close(self) -> None:
        """End the transaction, and close."""
        self._transaction.__exit__(None, None, None)
        self._cache.close()


class DriveLink(Peer):
    """The old library's successor as it comes, but for names that Python 3.10 took out of collections."""

    name = module = "drivelink"
    slow = True
    kind: ClassVar[str]

    @classmethod
    def load(cls) -> None:
        """Import it with those names put back."""
        for name in collections.abc.__all__:
            setattr(collections, name, getattr(collections.abc, name))
        super().load()

    def __init__(self, folder: Path) -> None:
        kind = getattr(importlib.import_module(self.module), self.kind)
        self.content = kind("bench", file_location=str(folder))


class Nothing(Peer):
    """Methods without content: the floor, which the benchmark itself takes of time and memory."""

    name = "nothing"
    most = 10_000_000
    kind: ClassVar[type[thin.Nothing]]

    def __init__(self, folder: Path) -> None:
        self._path = folder / "length"
        self.content = self.kind(int(self._path.read_text()) if self._path.exists() else 0)

    def close(self) -> None:
        """Keep the length."""
        self._path.write_text(str(len(self.content)))

    def require(self, what: str, found: object, expected: object) -> None:
        """Require nothing."""


P = TypeVar("P", bound=Peer)


def with_both(used_as: type[P], *, plain: type, kinds: dict[type[Peer], object]) -> list[type[P]]:
    """Return the contenders that have both structures: `plain`, and `kinds`, what each calls its own.

    They are used as `used_as` says.
    """
    own = type("Plain", (Plain, used_as), {"name": plain.__name__, "kind": plain})
    others = [type(peer.__name__, (peer, used_as), {"kind": kind}) for peer, kind in kinds.items()]
    return [own, *others]
