"""The plugin manager: built-ins when first needed, installed plugins when a name is unknown."""

from __future__ import annotations

import importlib
import os
import re
import threading
import warnings
from typing import TYPE_CHECKING, Any

from pyspeedup.core.errors import PluginError, PluginWarning
from pyspeedup.core.registry import Owner, Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from importlib.metadata import EntryPoint

    import pluggy

    from pyspeedup.core.protocols import (
        EngineFactory,
        HaltCondition,
        PageStoreFactory,
        SerializerFactory,
    )

__all__ = ["DISABLED_VARIABLE", "ENTRY_POINT_GROUP", "Plugins"]

ENTRY_POINT_GROUP = "pyspeedup"
DISABLED_VARIABLE = "PYSPEEDUP_DISABLED_PLUGINS"

_MEMORY = "pip install pyspeedup-memory"
_CONCURRENT = "pip install pyspeedup-concurrent"
INSTALL_HINTS: dict[str, dict[str, str]] = {
    "serializer": {
        **dict.fromkeys(("safe-pickle", "json", "compressed", "signed"), _MEMORY),
        "msgpack": "pip install 'pyspeedup-memory[msgpack]'",
    },
    "page store": {
        **dict.fromkeys(("file", "sqlite", "memory"), _MEMORY),
        "fsspec": "pip install 'pyspeedup-memory[fsspec]'",
        "lmdb": "pip install 'pyspeedup-memory[lmdb]'",
    },
    "engine": {
        **dict.fromkeys(("processes", "threads", "serial"), _CONCURRENT),
        "dask": "pip install pyspeedup-dask",
    },
    "halt condition": dict.fromkeys(
        ("uniformlyNonDecreasing", "absolutelyNonDecreasing", "uniformlyNonIncreasing"), _CONCURRENT
    ),
}
"""Names that another of our packages brings, so that a missing one is answered with the command."""


def _installed_entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import (
        entry_points,  # opens metadata: 20 ms that most programs never need
    )

    return entry_points(group=ENTRY_POINT_GROUP)


class Plugins:
    """Four registries, and the pluggy manager that fills them.

    Programs share the one that `pyspeedup.core` makes; a test makes its own, with its own
    `entry_points`.

    >>> plugins = Plugins(entry_points=list)
    >>> plugins.announce("pyspeedup.core._plugin")
    >>> [registration.name for registration in plugins.serializers]
    ['pickle']
    """

    def __init__(
        self,
        entry_points: Callable[[], Iterable[EntryPoint]] = _installed_entry_points,
        announced: list[str] | None = None,
    ) -> None:
        """Start with nothing loaded; `entry_points` lists what is installed, when asked.

        Others may append to `announced`, too; what has been loaded is taken out of it.
        """
        self._entry_points = entry_points
        self._announced = [] if announced is None else announced
        self._installed_loaded = False
        self._manager_made: pluggy.PluginManager | None = None
        self._lock = threading.RLock()
        self.halt_conditions: Registry[HaltCondition] = self._registry("halt condition")
        self.serializers: Registry[SerializerFactory] = self._registry("serializer")
        self.page_stores: Registry[PageStoreFactory] = self._registry("page store")
        self.engines: Registry[EngineFactory] = self._registry("engine")
        self._registries: dict[str, Registry[Any]] = {
            "pyspeedup_register_halt_conditions": self.halt_conditions,
            "pyspeedup_register_serializers": self.serializers,
            "pyspeedup_register_page_stores": self.page_stores,
            "pyspeedup_register_engines": self.engines,
        }

    def _registry(self, kind: str) -> Registry[Any]:
        return Registry(kind, self._load_announced, self._load_installed, INSTALL_HINTS[kind])

    @property
    def registries(self) -> tuple[Registry[Any], ...]:
        """The four registries, in the order of the hooks."""
        return tuple(self._registries.values())

    def announce(self, module: str) -> None:
        """Say that `module` is a built-in plugin, to be imported when a name is first looked up."""
        with self._lock:
            self._announced.append(module)

    def register(self, plugin: object, name: str | None = None) -> None:
        """Take `plugin`, a module or object with hook functions, into this process.

        `PluginError` if it has none, or one is misspelt or takes a wrong argument; nothing of it
        is kept then. `ValueError` if it, or another under `name`, is registered already.
        """
        plugin_name = name or str(getattr(plugin, "__name__", None) or type(plugin).__qualname__)
        with self._lock:
            self._load_announced()
            self._take(plugin, Owner(plugin_name, None, None, "script"))

    def _load_announced(self) -> None:
        if not self._announced:
            return
        with self._lock:
            while self._announced:
                name = self._announced[0]
                if not self._manager.has_plugin(name):
                    self._take(importlib.import_module(name), _owner_of_builtin(name))
                if name in self._announced:  # a hook that looked a name up was here already
                    self._announced.remove(name)

    def _load_installed(self) -> None:
        if self._installed_loaded:
            return
        with self._lock:
            if self._installed_loaded:
                return
            misfits = []
            for entry_point in self._entry_points():
                try:
                    self._load_entry_point(entry_point)
                except PluginError as error:  # raised below: it must not keep the others out
                    misfits.append(error)
            if misfits:
                raise misfits[0]
            self._installed_loaded = True

    def _load_entry_point(self, entry_point: EntryPoint) -> None:
        if _is_disabled(entry_point) or self._manager.has_plugin(entry_point.value):
            return
        distribution = entry_point.dist
        owner = Owner(
            entry_point.value,
            distribution.name if distribution else "an unknown distribution",
            distribution.version if distribution else "of no version",
            "entry point",
        )
        try:
            self._take(entry_point.load(), owner)
        except PluginError:
            raise
        except Exception as error:  # noqa: BLE001 -- a stranger's module may raise anything, and must not stop the rest
            warnings.warn(
                f"{owner} could not be loaded and is left out: {type(error).__name__}: {error}",
                PluginWarning,
                stacklevel=2,
            )

    @property
    def _manager(self) -> pluggy.PluginManager:
        if self._manager_made is None:
            import pluggy  # 25 ms or more, so not before a plugin is there to be managed

            from pyspeedup.core import hookspecs

            self._manager_made = pluggy.PluginManager(hookspecs.PROJECT)
            self._manager_made.add_hookspecs(hookspecs)
        return self._manager_made

    def _take(self, plugin: object, owner: Owner) -> None:
        """Register with pluggy and run the hooks; a plugin that fails leaves nothing behind."""
        self._check_with_pluggy(plugin, owner)
        try:
            self._run_hooks(plugin, owner)
        except BaseException:
            for registry in self.registries:
                registry.discard(owner)
            self._manager.unregister(plugin)
            raise

    def _check_with_pluggy(self, plugin: object, owner: Owner) -> None:
        from pluggy import PluginValidationError

        try:
            self._manager.register(plugin, name=owner.plugin)
            self._manager.check_pending()
        except PluginValidationError as error:
            if self._manager.is_registered(plugin):
                self._manager.unregister(plugin)
            raise PluginError(f"{owner}: {error}; {self._known_hooks()}") from error
        if fault := self._fault_of(plugin):
            self._manager.unregister(plugin)
            raise PluginError(f"{owner} {fault}; {self._known_hooks()}")

    def _fault_of(self, plugin: object) -> str | None:
        callers = self._manager.get_hookcallers(plugin) or []
        if not callers:
            return "has no function marked by hookimpl"
        for caller in callers:
            for implementation in caller.get_hookimpls():
                wraps = implementation.wrapper or implementation.hookwrapper
                if implementation.plugin is plugin and wraps:
                    return f"wraps {caller.name}, and there is nothing to wrap"
        return None

    def _known_hooks(self) -> str:
        return f"the hooks are {', '.join(self._registries)}"

    def _run_hooks(self, plugin: object, owner: Owner) -> None:
        for caller in self._manager.get_hookcallers(plugin) or []:
            registry = self._registries.get(caller.name)
            if registry is None:  # marked as optional: a hook of another version
                continue
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    offered = {"register": _registrar(registry, owner)}
                    implementation.function(*(offered[name] for name in implementation.argnames))


def _registrar(registry: Registry[Any], owner: Owner) -> Callable[[str, Any], None]:
    def register(name: str, value: Any, /) -> None:
        if not isinstance(name, str):
            raise TypeError(f"the name of a {registry.kind} is a str, not {name!r}")
        if not callable(value):
            raise TypeError(f"what {registry.kind} {name!r} stands for must be callable: {value!r}")
        registry.add(name, value, owner)

    return register


def _owner_of_builtin(module: str) -> Owner:
    distribution = "-".join(module.split(".")[:2])
    return Owner(module, distribution, None, "built-in")


def _is_disabled(entry_point: EntryPoint) -> bool:
    disabled = {_normal(name) for name in os.environ.get(DISABLED_VARIABLE, "").split(",")}
    own_names = [entry_point.name, entry_point.dist.name if entry_point.dist else entry_point.name]
    return not disabled.isdisjoint(map(_normal, own_names))


def _normal(name: str) -> str:
    """Spell a name as package indexes compare it: Spam_plugin and spam-plugin are one."""
    return re.sub(r"[-_.]+", "-", name.strip()).lower()
