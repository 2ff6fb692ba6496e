"""Brings in a library that an extra installs, or says which command does."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["import_extra"]


def import_extra(module: str, extra: str, needed_by: str) -> Any:
    """Return the module of that name; `ModuleNotFoundError` tells how to install it.

    >>> import_extra("no_such_module", "zstd", "compressed(..., 'zstd')")
    Traceback (most recent call last):
    ModuleNotFoundError: compressed(..., 'zstd') needs no_such_module: \
pip install "pyspeedup-memory[zstd]"
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name != top:  # it is there, and something that it needs is not
            raise
        raise ModuleNotFoundError(
            f'{needed_by} needs {top}: pip install "pyspeedup-memory[{extra}]"', name=top
        ) from error
