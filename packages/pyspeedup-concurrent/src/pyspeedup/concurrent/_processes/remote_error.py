"""Exceptions that travel from the process that raised them to the one that waits.

An exception of any kind travels, `KeyboardInterrupt` and `SystemExit` too: the caller sees what
the plain function would have raised. It arrives with its type, arguments, attributes and notes,
and its ``__cause__`` shows the traceback of the process that raised it. One that cannot be pickled
arrives as a `WorkerError` that says so and shows it.
"""

from __future__ import annotations

import os
import pickle
import traceback
from collections import deque
from typing import TYPE_CHECKING, Any

from pyspeedup.core import WorkerError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["RemoteTraceback", "box", "unbox"]

OWN_FOLDER = os.path.dirname(__file__)  # noqa: PTH120 -- pathlib takes 3 ms to import
MOST_FRAMES = 100
"""Of a deeper traceback, as a RecursionError has, only the frames nearest to the error are shown."""


class RemoteTraceback(Exception):  # noqa: N818 -- it is no error of its own: it shows where one arose
    """The cause of an exception that came from another process; its text is the traceback there."""

    def __init__(self, text: str) -> None:
        """Keep the formatted traceback."""
        super().__init__(text)
        self.text = text

    def __str__(self) -> str:
        """Set the text apart from the local traceback that is shown around it."""
        return f'\n"""\n{self.text}"""'


def box(error: BaseException) -> bytes:
    """Return `error` as bytes, whatever it is; costs O(size), and one attempt to read it back.

    >>> unbox(box(KeyError("spam")))
    KeyError('spam')
    """
    return pickle.dumps((_describe(error), _format(error), os.getpid(), _pickle(error)))


def unbox(data: bytes) -> BaseException:
    """Return the exception that was boxed, ready to be raised, in O(size).

    >>> error = unbox(box(ValueError("spam")))
    >>> type(error.__cause__).__name__
    'RemoteTraceback'
    """
    description, text, pid, payload = pickle.loads(data)
    error: BaseException
    try:
        if payload is None:
            raise pickle.UnpicklingError("it cannot be pickled")  # noqa: TRY301 -- one explanation for both
        error = _rebuild(pickle.loads(payload))
    except Exception as reason:  # noqa: BLE001 -- a constructor may raise anything; the error itself is shown below
        error = WorkerError(
            f"worker {pid} raised an exception that can't travel between processes "
            f"({reason}): {description}",
            pid=pid,
        )
    error.__cause__ = RemoteTraceback(text)
    return error


def _describe(error: BaseException) -> str:
    return "".join(
        traceback.TracebackException(type(error), error, None).format_exception_only()
    ).strip()


def _format(error: BaseException) -> str:
    first = _without_own_frames(error.__traceback__)
    nearest = deque(_frames(first), maxlen=MOST_FRAMES)
    # Cut here, for `limit` would look each frame up before it drops it: seconds in a deep recursion.
    start = nearest[0] if nearest else None
    return "".join(traceback.format_exception(type(error), error, start, limit=-MOST_FRAMES))


def _frames(frame: TracebackType | None) -> Iterator[TracebackType]:
    while frame is not None:
        yield frame
        frame = frame.tb_next


def _without_own_frames(frame: TracebackType | None) -> TracebackType | None:
    """Skip the frames of this package that every remote traceback begins with."""
    while (
        frame is not None
        and frame.tb_next is not None
        and frame.tb_frame.f_code.co_filename.startswith(OWN_FOLDER)
    ):
        frame = frame.tb_next
    return frame


def _pickle(error: BaseException) -> bytes | None:
    """Return the first picture of `error` that can be read back here; None if there is none.

    The second is for constructors that do not accept ``error.args``: they are not called again.
    """
    import cloudpickle  # 30 ms, and needed only when something went wrong

    bare = (type(error), error.args, getattr(error, "__dict__", {}))
    for picture in ((error, error.args), bare):
        try:
            payload: bytes = cloudpickle.dumps(picture)
            _rebuild(pickle.loads(payload))
        except Exception:  # noqa: BLE001, S112 -- reducing and rebuilding run the class's own code, which may raise anything; unbox tells
            continue
        return payload
    return None


def _rebuild(picture: tuple[Any, ...]) -> BaseException:
    if len(picture) == 2:  # noqa: PLR2004 -- the two pictures of _pickle
        error, args = picture
    else:
        kind, args, attributes = picture
        error = kind.__new__(kind, *args)
        error.__dict__.update(attributes)
    error.args = args  # a constructor may have made others from what it was given
    return error  # type: ignore[no-any-return]  # a picture holds what _pickle put in
