"""Ctrl-C at each moment at which CPython looks for it, in its turn."""

from __future__ import annotations

import dis
import functools
import sys

from interrupting import OURS


class Signaller:
    """Raises `KeyboardInterrupt` at the n-th moment at which CPython itself looks for signals.

    That is when a function of `files` begins, when one has called something written in C, and at
    the end of a turn of a loop; never between other steps, so that what is done without a call is whole.
    """

    def __init__(self, at, *files):
        self.left = at
        self.traced = tuple(str(OURS / file) for file in files)
        self.last = {}  # the operation before, of each frame
        self.called = set()  # frames that have just called Python

    def trace(self, frame, event, _):
        self.called.add(id(frame.f_back))
        if event != "call" or not frame.f_code.co_filename.startswith(self.traced):
            return None
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        self.last[id(frame)] = None
        return self.step

    def step(self, frame, event, _):
        if event == "opcode":
            now = _operations(frame.f_code).get(frame.f_lasti, "")
            before, self.last[id(frame)] = self.last.get(id(frame)), now
            has_called_python = id(frame) in self.called
            self.called.discard(id(frame))
            if before is not None and _is_checked_after(before, has_called_python):
                self.left -= 1
                if not self.left:
                    raise KeyboardInterrupt
        return self.step

    def __enter__(self):
        self.before = sys.gettrace()
        sys._getframe().f_trace_opcodes = (
            True  # from 3.12 on, so that any code is traced step by step
        )
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)


@functools.cache
def _operations(code):
    return {step.offset: step.opname for step in dis.get_instructions(code)}


def _is_checked_after(operation, has_called_python):
    if operation.startswith("CALL") and "INTRINSIC" not in operation:
        return not has_called_python
    return operation in {"RESUME", "JUMP_BACKWARD"}
