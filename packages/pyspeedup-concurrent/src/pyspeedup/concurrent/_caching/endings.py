"""How futures come to their end, whatever those do who asked to be told of it.

`concurrent.futures` shows an `Exception` of a callback and goes on, but lets a `SystemExit` or a
`KeyboardInterrupt` through, into the thread that others wait for.
"""

from __future__ import annotations

import functools
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["contain", "raiser", "settle"]


def contain(end: Callable[[], Any]) -> None:
    """End a future by `end`; what its callbacks raise is shown as if a thread had ended by it."""
    try:
        end()
    except BaseException as error:  # noqa: BLE001 -- none of it may keep others from their answers
        thread = threading.current_thread()
        shown = threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
        threading.excepthook(shown)


def settle(future: Future[Any], answer: Callable[[], Any]) -> None:
    """Let a future have what `answer` returns or raises, unless it was cancelled."""
    if not (future.running() or future.set_running_or_notify_cancel()):
        return
    try:
        value = answer()
    except BaseException as error:  # noqa: BLE001 -- the future carries whatever the function raised
        contain(functools.partial(future.set_exception, error))
    else:
        contain(functools.partial(future.set_result, value))


def raiser(error: BaseException) -> Callable[[], Any]:
    """Return an error as an answer."""

    def fetch() -> Any:
        raise error

    return fetch
