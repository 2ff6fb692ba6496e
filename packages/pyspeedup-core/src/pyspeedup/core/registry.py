"""Names and what they stand for: who registered them, which are missing, which are claimed twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from pyspeedup.core.errors import DuplicateNameError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Owner", "Register", "Registration", "Registry"]

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)


class Register(Protocol[T_contra]):
    """What a hook is given: call it once for each name."""

    def __call__(self, name: str, value: T_contra, /) -> None:
        """Let `name` stand for `value`; `TypeError` unless `name` is a str and `value` callable."""
        ...


class Owner:
    """Who registered a name: `plugin` of `distribution`, which is None for a script's.

    A `version` of None is that which is installed, and looked up when somebody asks for it. Owners
    are equal if all but that is.

    >>> str(Owner("spam", "pyspeedup-spam", "1.0", "entry point"))
    "plugin 'spam' (pyspeedup-spam 1.0)"
    >>> str(Owner("__main__", None, None, "script"))
    "plugin '__main__' (registered by a script)"
    """

    __slots__ = ("_version", "distribution", "plugin", "source")

    def __init__(
        self, plugin: str, distribution: str | None, version: str | None, source: str
    ) -> None:
        """Look nothing up yet."""
        self.plugin = plugin
        self.distribution = distribution
        self._version = version
        self.source = source

    @property
    def version(self) -> str | None:
        """That of the distribution; `importlib.metadata.PackageNotFoundError` if it is gone."""
        if self._version is None and self.distribution is not None:
            from importlib.metadata import version  # 10 ms that finding a name must not cost

            self._version = version(self.distribution)
        return self._version

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Owner):
            return NotImplemented
        return self._names() == other._names()

    def __hash__(self) -> int:
        return hash(self._names())

    def _names(self) -> tuple[str, str | None, str]:
        return self.plugin, self.distribution, self.source

    def __repr__(self) -> str:
        return f"Owner{(self.plugin, self.distribution, self.version, self.source)!r}"

    def __str__(self) -> str:
        """Name the plugin, and where it comes from."""
        if self.distribution is None:
            return f"plugin {self.plugin!r} (registered by a {self.source})"
        return f"plugin {self.plugin!r} ({self.distribution} {self.version})"


class Registration(NamedTuple, Generic[T]):
    """One name, what it stands for, and who said so.

    >>> Registration("pickle", dict, Owner("core", "pyspeedup-core", "1.0", "built-in")).name
    'pickle'
    """

    name: str
    value: T
    owner: Owner


class Registry(Generic[T]):
    """The names of one kind of thing, filled by plugins when a name is first asked for.

    `kind` is what messages call it. `load_builtin` and `load_installed` bring plugins in; the
    second is asked only for a name that the first did not bring. `hints` maps names that belong
    to an optional install to the command that brings them.

    >>> colours = Registry("colour")
    >>> colours.add("red", 0xFF0000, Owner("spam", None, None, "script"))
    >>> hex(colours.get("red"))
    '0xff0000'
    """

    def __init__(
        self,
        kind: str,
        load_builtin: Callable[[], None] = lambda: None,
        load_installed: Callable[[], None] = lambda: None,
        hints: dict[str, str] | None = None,
    ) -> None:
        """Start empty; nothing is loaded yet."""
        self.kind = kind
        self._load_builtin = load_builtin
        self._load_installed = load_installed
        self._hints = hints or {}
        self._registrations: dict[str, list[Registration[T]]] = {}

    def add(self, name: str, value: T, owner: Owner) -> None:
        """Let `name` stand for `value`, in O(1). A second claim is kept, and makes `get` refuse."""
        self._registrations.setdefault(name, []).append(Registration(name, value, owner))

    def discard(self, owner: Owner) -> None:
        """Drop all that `owner` registered, in O(names)."""
        for name, found in list(self._registrations.items()):
            kept = [registration for registration in found if registration.owner != owner]
            if kept:
                self._registrations[name] = kept
            else:
                del self._registrations[name]

    def get(self, name: str) -> T:
        """Return what `name` stands for, in O(1) once plugins are loaded.

        `UnknownNameError` lists near matches, `DuplicateNameError` names both owners, and
        `TypeError` refuses what is no str.
        """
        if not isinstance(name, str):
            raise TypeError(f"the name of a {self.kind} is a str, not {name!r}")
        self._load_builtin()
        if name not in self._registrations:
            self._load_installed()
        found = self._registrations.get(name, [])
        if not found:
            raise UnknownNameError(self._explain_unknown(name))
        if len(found) > 1:
            raise DuplicateNameError(self._explain_duplicate(found))
        return found[0].value

    def name_of(self, value: T) -> str | None:
        """Return a name that `get` would answer with `value`, in O(names); None if there is none.

        Looks only through what is loaded already.
        """
        self._load_builtin()
        for name, found in self._registrations.items():
            if len(found) == 1 and found[0].value is value:
                return name
        return None

    def __iter__(self) -> Iterator[Registration[T]]:
        """Iterate over every registration by name, after loading every installed plugin."""
        self._load_builtin()
        self._load_installed()
        for name in sorted(self._registrations):
            yield from self._registrations[name]

    def _explain_unknown(self, name: str) -> str:
        message = f"no {self.kind} is called {name!r}"
        if name in self._hints:
            return f"{message}; it comes with: {self._hints[name]}"
        from difflib import get_close_matches  # only an error needs it

        near = get_close_matches(name, self._registrations)
        if near:
            return f"{message}; did you mean {' or '.join(map(repr, near))}?"
        known = ", ".join(map(repr, sorted(self._registrations))) or "none"
        return f"{message}; known: {known}"

    def _explain_duplicate(self, found: list[Registration[T]]) -> str:
        owners = " and ".join(str(registration.owner) for registration in found)
        return (
            f"the {self.kind} name {found[0].name!r} is registered by {owners}; "
            "uninstall one, or name it in PYSPEEDUP_DISABLED_PLUGINS"
        )
