"""What a child has printed comes out while it lives, for it ends without warning.

Printing is nobody's value: a stream that cannot be flushed is told of once, on
standard error, and changes nothing of what the function returns or raises.
"""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["flush"]

_told: set[str] = set()


def flush() -> None:
    """Let what was printed come out, as far as the streams of this process have it."""
    for name in ("stdout", "stderr"):
        try:
            _flush(getattr(sys, name))
        except BaseException as error:  # noqa: BLE001 -- a class of the user's; see the module
            if name not in _told:
                _told.add(name)
                _tell(error, name)


def _flush(stream: Any) -> None:
    """Flush a stream, or what the program has put in its place: that need only be able to write."""
    if stream is not None and hasattr(stream, "flush") and not getattr(stream, "closed", False):
        stream.flush()


def _tell(error: BaseException, name: str) -> None:
    import traceback  # only when something went wrong

    try:
        sys.stderr.write(f"What was printed to sys.{name} did not come out:\n")
        sys.stderr.write("".join(traceback.format_exception(error)))
    except BaseException:  # noqa: BLE001 -- then there is no place left to say it
        return
