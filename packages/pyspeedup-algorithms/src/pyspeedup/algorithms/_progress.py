"""A bar that shows how far a long computation has come."""

from __future__ import annotations

from typing import Any

__all__ = ["make_bar"]


def make_bar(total: int | None, name: str, unit: str) -> Any:
    """Return a bar with ``update`` and ``close``; `ImportError`, saying what to install, without tqdm."""
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise ImportError(
            "progress=True draws its bar with tqdm, which is not installed: "
            "pip install 'pyspeedup-algorithms[progress]'"
        ) from error
    return tqdm(total=total, desc=name, unit=unit)
