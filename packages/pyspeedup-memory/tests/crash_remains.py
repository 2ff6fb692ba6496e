"""What a killed writer leaves, asked for in every way and held to what the writer had come to."""

from __future__ import annotations

import contextlib
import io
import random

import crash_writer
from pyspeedup.core.cli import main
from pyspeedup.core.testing._values import same


class Remains:
    """The stores in a folder to which a writer with this seed wrote until it was killed."""

    def __init__(self, folder, page_store, seed, scale, counters):
        self.folder, self.page_store, self.seed, self.scale = folder, page_store, seed, scale
        self.counters = counters

    def whole(self, kind, before):
        """Return what is found, and after which step of writing onto `before` it was so.

        No commit that was done is lost, nor any part of one there.
        """
        counters = self.counters[kind]
        found = self.read(kind)
        first = max(counters["steps_kept"], counters["steps_synced"])
        steps = range(first, counters["steps_begun"] + 1)
        states = crash_writer.states(kind, self.seed, before, self.scale)
        step = find_state(states, steps, found)
        assert step is not None, f"seed {self.seed}: the {kind} is in no state of {steps}"
        return found, step

    def read(self, kind):
        """Open what was left, ask for it in every way, and return its items."""
        chance = random.Random(self.seed)
        can_be_read = self.counters[kind]["steps_synced"]  # else there may be no store yet
        if can_be_read and chance.random() < 0.3:
            self.require_verified(kind)
        if can_be_read and chance.random() < 0.3:
            self.open(kind, readonly=True).close()
        with self.open(kind) as structure:
            items = items_of_dict(structure) if kind == "dict" else items_of_list(structure)
        self.require_verified(kind)
        return items

    def open(self, kind, **options):
        return crash_writer.open_again(kind, self.folder, self.page_store, **options)

    def require_verified(self, kind):
        """Hold ``pyspeedup verify`` to finding nothing, where the writer came so far as to make a store."""
        if not (self.folder / f"{kind}.pyspeedup").exists():
            return
        with contextlib.redirect_stdout(io.StringIO()) as told:
            status = main(["verify", kind, "--location", str(self.folder)])
        assert status == 0, f"seed {self.seed}: {told.getvalue()}"


def items_of_dict(d):
    items = list(d.items())
    assert len(d) == len(items)
    assert list(d) == [key for key, _ in items]
    assert same(list(d.values()), [value for _, value in items])
    assert same(list(reversed(d.items())), items[::-1])
    for key, value in items:
        assert key in d
        assert same(d[key], value)
    assert not any(absent in d for absent in [-1, "absent", ("key 1",), crash_writer.Text("x")])
    return items


def items_of_list(stored):
    items = list(stored)
    assert len(stored) == len(items)
    assert same([stored[index] for index in range(len(items))], items)
    assert same(list(reversed(stored)), items[::-1])
    assert same(stored[::3], items[::3])
    return items


def find_state(states, steps, found):
    """Return which of `steps`, a range, may have left what was `found`; None for none of them."""
    for step, state in states:
        if step >= steps.stop:
            break
        if step in steps and len(state) == len(found):
            items = list(state.items()) if isinstance(state, dict) else state
            if same(items[-1:], found[-1:]) and same(items, found):
                return step
    return None
