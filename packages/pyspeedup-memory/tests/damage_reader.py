"""Damages the files of a store, one after the other, and tells what is read from it then.

It is a program of its own, since damage could end the interpreter.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from pathlib import Path

from pyspeedup.core import StoreError
from pyspeedup.memory import DiskDict, DiskList

PARTS = 50


def content(kind, number):
    """Return what store `number` of a kind holds."""
    values = [
        [(number, i), f"{number} {i} " * (i % 9), [number, i], "x" * 20_000 if i == 7 else None][
            i % 4
        ]
        for i in range(60)
    ]
    keys = [[i, f"key {i}", (i, "a"), "k" * 300 + str(i)][i % 4] for i in range(60)]
    return dict(zip(keys, values, strict=True)) if kind == "dict" else values


def make(kind, folder, page_store, number):
    """Make a store; in several commits, as one that is in use is."""
    structure = {"dict": DiskDict, "list": DiskList}[kind]
    with structure(f"{number}", 8, 2, folder, page_store=page_store) as made:
        if kind == "dict":
            made.update(dict.fromkeys(["gone", "too"], "x" * 300))
            made.sync()
            made.update(content(kind, number))
            made.sync()
            del made["gone"], made["too"]
        else:
            made.extend(["gone"] * 20)
            made.sync()
            made[:] = content(kind, number)


def wrong(kind, folder, expected, *, readonly):
    """Open store 0 and ask for everything; return what is wrong, and whether damage was told."""
    told = False
    structure = {"dict": DiskDict, "list": DiskList}[kind]
    try:
        stored = structure("0", 8, 2, folder, readonly=readonly)
    except StoreError:
        return [], True
    found = []
    for ask, answer in questions(kind, expected):
        try:
            given = ask(stored)
        except StoreError:
            told = True
        except Exception as error:  # noqa: BLE001 -- whatever it is, it is wrong
            found.append(f"{error!r} instead of {answer!r:.60}")
        else:
            if given != answer:
                found.append(f"{given!r:.60} instead of {answer!r:.60}")
    try:
        stored.close()
    except StoreError:
        told = True
    return found, told


def questions(kind, expected):
    """Yield functions of a structure, and what they have to return."""
    yield len, len(expected)
    if kind == "dict":
        for key, value in expected.items():
            yield (lambda d, key=key: d[key]), value
            yield (lambda d, key=key: key in d), True
        for key in [-1, "absent", (1, "b"), "gone", "too", "k" * 300]:
            yield (lambda d, key=key: d.get(key, "absent")), "absent"
        yield list, list(expected)
        yield (lambda d: list(d.items())), list(expected.items())
        yield (lambda d: list(reversed(d.values()))), list(expected.values())[::-1]
    else:
        for index, item in enumerate(expected):
            yield (lambda stored, index=index: stored[index]), item
        yield list, expected
        yield (lambda stored: list(reversed(stored))), expected[::-1]
        yield (lambda stored: stored[::7]), expected[::7]


def damages(folder, other, count, chance):
    """Yield a name and a function for each damage: it is called with the folder of a copy."""
    for path in sorted(folder.iterdir()):
        if path.name == "lock":
            continue
        data = path.read_bytes()
        for part in range(PARTS):
            length = len(data) * part // PARTS
            yield f"{path.name} cut to {length}", replacing(path.name, data[:length])
        yield f"{path.name} longer", replacing(path.name, data + b"\0" * 100)
        yield f"{path.name} gone", lambda copy, name=path.name: (copy / name).unlink()
        if (other / path.name).read_bytes() != data:
            yield f"{path.name} of another", replacing(path.name, (other / path.name).read_bytes())
        for _ in range(min(count, len(data) // 20)):
            place, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
            flipped = bytearray(data)
            flipped[place] ^= bit
            yield f"{path.name} with {bit} at {place}", replacing(path.name, bytes(flipped))


def replacing(name, data):
    return lambda copy: (copy / name).write_bytes(data)


def main(folder, page_store, kind, count, seed):
    """Print, as JSON, how many damages there were, how many of them were told, and what was wrong."""
    chance = random.Random(seed)
    for number in (0, 1):
        make(kind, folder / "whole", page_store, number)
    expected = content(kind, 0)
    result = {"tried": 0, "told": 0, "wrong": []}
    stores = folder / "whole"
    whole = wrong(kind, stores, expected, readonly=True)
    if whole != ([], False):
        raise AssertionError(f"without damage: {whole}")
    for name, damage in damages(stores / "0.pyspeedup", stores / "1.pyspeedup", count, chance):
        copy = folder / "copy"
        shutil.copytree(stores / "0.pyspeedup", copy / "0.pyspeedup")
        damage(copy / "0.pyspeedup")
        found, told = wrong(kind, copy, expected, readonly=chance.random() < 0.8)
        shutil.rmtree(copy)
        result["tried"] += 1
        result["told"] += told
        result["wrong"] += [f"{name}: {each}" for each in found]
    print(json.dumps(result))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
