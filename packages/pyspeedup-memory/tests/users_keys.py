"""Keys of classes as users write them, which have no stable hash."""

from __future__ import annotations


class Text:
    """Equals its like alone."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return isinstance(other, Text) and self.text == other.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return f"Text({self.text!r})"


class LikeStr:
    """Equals the str that it holds, too."""

    def __init__(self, text):
        self.text = text

    def __eq__(self, other):
        return self.text == getattr(other, "text", other)

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return f"LikeStr({self.text!r})"
