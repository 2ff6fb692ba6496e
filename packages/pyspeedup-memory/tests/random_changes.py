"""What random changes of a writer that is killed have in common: a user's key, and transactions."""

from __future__ import annotations

import contextlib


class Text:
    """A key without a stable hash, as a user's class is."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Text) and self.text == other.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return f"Text({self.text!r})"


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
