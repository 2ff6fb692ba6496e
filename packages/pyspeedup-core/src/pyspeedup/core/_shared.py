"""The plugins of this process: one manager that every structure looks names up in."""

from __future__ import annotations

from pyspeedup.core._announced import announced
from pyspeedup.core.plugins import Plugins

__all__ = ["engines", "halt_conditions", "page_stores", "register", "serializers"]

_plugins = Plugins(announced=announced)

halt_conditions = _plugins.halt_conditions
serializers = _plugins.serializers
page_stores = _plugins.page_stores
engines = _plugins.engines


def register(plugin: object, name: str | None = None) -> None:
    """Take a module or object with hook functions in as a plugin of this process.

    For scripts and notebooks; an installed distribution names its module in the entry point group
    ``pyspeedup`` instead. Cost: one call of each of its hooks.

    Raises `PluginError` if a hook is misspelt, takes a wrong argument, or there is none, and
    `ValueError` if the plugin, or another of that name, is registered already.

    >>> from pyspeedup.core import halt_conditions, hookimpl, register
    >>> class Impatient:
    ...     @hookimpl
    ...     def pyspeedup_register_halt_conditions(self, register):
    ...         register("thirdTime", lambda buffer, item, attempts: attempts >= 2)
    >>> register(Impatient())
    >>> halt_conditions.get("thirdTime")(None, None, 2)
    True
    """
    _plugins.register(plugin, name)
