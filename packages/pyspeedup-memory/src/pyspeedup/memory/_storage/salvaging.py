"""What reading a damaged structure tells of items that cannot be read."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Damage"]


class Damage(NamedTuple):
    """Items that cannot be read, and why: how many, or None where nothing tells."""

    where: str
    reason: str
    items: int | None = 1
