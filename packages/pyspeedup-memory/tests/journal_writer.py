"""Changes that a journal must keep, drawn by chance from a seed; and a writer of them to be killed."""

from __future__ import annotations

import os
import random
import sys

from changing_together import change_together
from pyspeedup.memory import DiskDict, DiskList
from users_keys import Text

STRUCTURES = {"dict": DiskDict, "list": DiskList}


def value_of(chance):
    number = chance.randrange(1000)
    return chance.choice([number, str(number) * 30, (number, None), [number], {"at": [number]}])


def values_of(chance):
    return [value_of(chance) for _ in range(chance.randrange(6))]


def key_of(chance):
    number = chance.randrange(30)
    return chance.choice(
        [number, f"key {number}", float(number), (number, "a"), Text(f"{number}"), b"%d" % number]
    )


def dict_changes(chance):
    """Return what may be done next to a dict, each with how often."""
    key, other, value = key_of(chance), key_of(chance), value_of(chance)
    pairs = [(key_of(chance), value_of(chance)) for _ in range(chance.randrange(8))]
    plain = {f"key {i}": i for i in range(chance.randrange(20))}
    goes_back = chance.random() < 0.5

    def two(d):
        d[key] = value
        d.pop(other, None)

    return {
        lambda d: d.__setitem__(key, value): 30,
        lambda d: d.pop(key, None): 10,
        lambda d: d.__delitem__(key) if key in d else None: 5,
        lambda d: d.popitem() if d else None: 5,
        lambda d: d.setdefault(key, value): 5,
        lambda d: d.update(pairs): 3,
        lambda d: d.update(plain): 3,
        lambda d: d.__ior__({key: value}): 2,
        lambda d: d.clear(): 0.5,
        lambda d: change_together(d, two, goes_back=goes_back): 2,
    }


def list_changes(chance):
    """Return what may be done next to a list, each with how often."""
    value, values, share = value_of(chance), values_of(chance), chance.random()
    first, last = chance.randrange(20), chance.randrange(20)
    goes_back = chance.random() < 0.5

    def at(items):
        return int(share * len(items))

    def two(items):
        items.append(value)
        items.insert(0, value)

    def replace_every_other(items):
        items[1::2] = [value] * len(items[1::2])

    return {
        lambda x: x.append(value): 30,
        lambda x: x.insert(at(x), value): 10,
        lambda x: x.insert(len(x), value): 2,
        lambda x: x.__setitem__(at(x), value) if x else None: 10,
        lambda x: x.__setitem__(-1, value) if x else None: 3,
        lambda x: x.pop(at(x)) if x else None: 8,
        lambda x: x.pop() if x else None: 5,
        lambda x: x.__delitem__(at(x)) if x else None: 5,
        lambda x: x.remove(x[at(x)]) if x else None: 3,
        lambda x: x.extend(values): 5,
        lambda x: x.extend(iter(values)): 3,
        lambda x: x.__iadd__(values): 2,
        lambda x: x.__setitem__(slice(first, last), values): 4,
        lambda x: x.__setitem__(slice(first, last), iter(values)): 2,
        replace_every_other: 2,
        lambda x: x.__delitem__(slice(first, last)): 3,
        lambda x: x.__delitem__(slice(first, None, 3)): 2,
        lambda x: x.extend(x) if len(x) < 100 else None: 1,
        lambda x: x.__imul__(2) if len(x) < 100 else None: 0.5,
        lambda x: x.reverse(): 1,
        lambda x: x.sort(key=repr): 1,
        lambda x: x.clear(): 0.5,
        lambda x: x.__delitem__(slice(60, None)): 2,
        lambda x: change_together(x, two, goes_back=goes_back): 2,
    }


CHANGES = {"dict": dict_changes, "list": list_changes}


def change(kind, seed, number):
    """Return the change `number` of that seed, a function of the structure."""
    chance = random.Random(f"{kind} {seed} {number}")
    changes, weights = zip(*CHANGES[kind](chance).items(), strict=True)
    return chance.choices(changes, weights)[0]


def after(kind, seed, count):
    """Return what there is after `count` changes: a plain dict or list."""
    content = {} if kind == "dict" else []
    for number in range(count):
        change(kind, seed, number)(content)
    return content


class _StepByStep(list):
    """A list that notes what it held between the items of one change."""

    def __init__(self, content):
        super().__init__(content)
        self.seen = []

    def append(self, value):
        super().append(value)
        self.seen.append(list(self))

    def extend(self, values):
        if isinstance(values, list):
            super().extend(values)
        else:
            for value in values:
                self.append(value)


class _KeyByKey(dict):
    """A dict that does so."""

    def __init__(self, content):
        super().__init__(content)
        self.seen = []

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.seen.append(dict(self))

    def update(self, items):
        for key, value in items.items() if isinstance(items, dict) else items:
            self[key] = value


def within(kind, seed, count):
    """Yield what there may be after `count` changes, while the next is made and after it."""
    before = after(kind, seed, count)
    yield before
    following = _KeyByKey(before) if kind == "dict" else _StepByStep(before)
    change(kind, seed, count)(following)
    yield from following.seen
    yield following.copy()


def main(kind, folder, page_store, seed):
    """Change for ever, and tell of each change once it is made."""
    structure = STRUCTURES[kind](
        kind, 4, 2, folder, page_store=page_store, journal=True, sync_every=float("inf")
    )
    number = 0
    while True:
        change(kind, seed, number)(structure)
        number += 1
        os.write(1, b"%d\n" % number)


if __name__ == "__main__":
    main(*sys.argv[1:])
