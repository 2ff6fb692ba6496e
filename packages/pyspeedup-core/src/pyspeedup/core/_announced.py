"""The built-in plugins of this process, named here until a name is looked up and they are loaded."""

from __future__ import annotations

__all__ = ["announce", "announced"]

announced: list[str] = ["pyspeedup.core._plugin"]


def announce(module: str) -> None:
    """Name a module of built-in registrations, to be imported at the first look-up, in O(1).

    For pyspeedup's own packages, which call it when they are imported. Yours is found through its
    entry point, or taken by `register`.

    >>> announce("pyspeedup.core._plugin")
    """
    announced.append(module)
