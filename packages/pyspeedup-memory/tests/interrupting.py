"""Ctrl-C at the n-th place of an operation, so that each has its turn: lines, or where CPython looks for it."""

from __future__ import annotations

import dis
import sys
from functools import cache
from pathlib import Path

import pyspeedup.memory
from thoroughness import IS_LONG

OURS = Path(pyspeedup.memory.__file__).parent
STORING = ("_storage/volume.py", "_storage/header.py", "stores")
"""Not `_platform`: between opening a descriptor and the ``try`` that closes it, Python loses it."""


class Interrupter:
    """Raises `KeyboardInterrupt` once, before the n-th line that runs in `files`.

    These are prefixes of paths within the package: files and folders. What is not reached is `left`.
    """

    def __init__(self, at, *files):
        self.left = at
        self.traced = tuple(str(OURS / file) for file in files)

    def trace(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(self.traced):
            return None
        if event == "line":
            self.left -= 1
            if not self.left:
                raise KeyboardInterrupt
        return self.trace

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)


class SignalInterrupter:
    """Raises `KeyboardInterrupt` once, at the n-th place in `files` where CPython looks for signals.

    That is where a function begins, after a call of one that is written in C, and where a loop goes
    round; never between other steps, so that what is done without a call is whole. `files` are as those
    of `Interrupter`, and without any the whole package. What is not reached is `left`; `where` tells the
    place, and `places` all that were reached, as file and instruction.
    """

    def __init__(self, at, *files):
        self.left = at
        self.traced = tuple(str(OURS / file) for file in files or [""])
        self.where = ""
        self.places = []
        self._last = {}
        self._calling = set()

    def trace(self, frame, event, _):
        if event == "call":
            self._calling.add(frame.f_back)  # so its call is none of C
            if not frame.f_code.co_filename.startswith(self.traced) or is_callback(frame.f_code):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            self._last[frame] = names(frame.f_code).get(frame.f_lasti, "")  # where it begins
        elif event == "opcode":
            self._step(frame)
        elif event == "return":
            self._last.pop(frame, None)
        return self.trace

    def _step(self, frame):
        last, self._last[frame] = self._last[frame], names(frame.f_code).get(frame.f_lasti, "")
        is_from_c = frame not in self._calling
        self._calling.discard(frame)
        if self.left and looks_for_signals(last, is_from_c=is_from_c):
            self.left -= 1
            self.places.append((frame.f_code.co_filename, frame.f_code.co_name, frame.f_lasti))
            if not self.left:
                place = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                self.where = f"{place}, {frame.f_code.co_name}, after {last}"
                raise KeyboardInterrupt

    def __enter__(self):
        self._before = sys.gettrace()
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self._before)
        self._last.clear()
        self._calling.clear()


def chosen_turns(places, known, *, of="", again):
    """Return which of the places that an operation reaches, counted from 1, are to be interrupted.

    Those in a folder `of` the package that are not `known` yet, to which they are added, and some `again`;
    or each, in a long run.
    """
    if IS_LONG:
        return range(1, len(places) + 1)
    chosen = set(range(1, len(places), max(1, len(places) // again)))
    for at, place in enumerate(places, 1):
        if place not in known and of in place[0]:
            known.add(place)
            chosen.add(at)
    return sorted(chosen)


def is_callback(code):
    """Return whether a code is what a reference calls: Python only prints what that raises."""
    return code.co_qualname.endswith("<locals>.forget")


@cache
def names(code):
    """Return the names of a code's instructions by their places."""
    return {instruction.offset: instruction.opname for instruction in dis.get_instructions(code)}


def looks_for_signals(name, *, is_from_c):
    """Return whether CPython does after an instruction; `is_from_c` if no function of Python ran in it."""
    if name.startswith("CALL") and not name.startswith("CALL_INTRINSIC"):
        return is_from_c
    return name == "RESUME" or (name.startswith("JUMP_BACKWARD") and "NO_INTERRUPT" not in name)
