"""Changing all or nothing, where there are transactions."""

from __future__ import annotations

import contextlib


class _GoBack(Exception):  # noqa: N818 -- not an error of anybody: it ends a transaction
    pass


def change_together(target, change, *, goes_back):
    """Change all or nothing, where there are transactions; a dict and a list have none."""
    if not hasattr(target, "transaction"):
        if not goes_back:
            change(target)
        return
    with contextlib.suppress(_GoBack), target.transaction():
        change(target)
        if goes_back:
            raise _GoBack
