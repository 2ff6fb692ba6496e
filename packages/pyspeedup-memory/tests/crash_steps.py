"""Random changes of a dict and a list, on disk or not, that can be played again from their seed."""

from __future__ import annotations

import random
from functools import partial
from typing import Any, NamedTuple

from changing_together import change_together
from users_keys import Text


class Chance(random.Random):
    """Chance, and how many times as much as usual a step is about."""

    def __init__(self, seed, scale):
        super().__init__(seed)
        self.scale = scale


class Step(NamedTuple):
    """What the writer does, and the changes, one after the other, of which it consists.

    Each is called with the structure (or what stands for it) and a dict of what the program holds.
    """

    whole: Any
    parts: list[Any]


def steps(kind, seed, scale=1):
    """Yield steps for ever; the same ones for the same seed."""
    chance = Chance(f"{kind} {seed}", scale)
    makers, weights = zip(*MAKERS[kind].items(), strict=True)
    number = 0
    while True:
        number += 1
        made = chance.choices(makers, weights)[0](chance, number)
        yield made if isinstance(made, Step) else Step(made, [made])


def states(kind, seed, content, scale=1):
    """Yield ``(step, content)`` after each change, where `content` is what there was at first."""
    content = dict(content) if kind == "dict" else list(content)
    held = {}
    yield 0, content
    for number, step in enumerate(steps(kind, seed, scale), 1):
        for part in step.parts:
            part(content, held)
            yield number, content
        if not step.parts:
            yield number, content


def make_value(chance, number):
    """Return a value that nothing else has: short, long, or one that can be changed."""
    plain = [number, f"{number} " * chance.randrange(60), (number, "a")]
    can_change = [[number], {"at": [number]}]
    long = [f"{number:05}" * 4000, bytes([number % 256]) * chance.randrange(5_000, 90_000)]
    return chance.choice(chance.choices([plain, can_change, long], [50, 40, 5 / chance.scale])[0])


def make_key(chance):
    number = chance.randrange(40 * chance.scale)
    return chance.choice(
        [
            number,
            f"key {number}",
            (number, "a"),
            float(number),
            Text(f"{number}"),
            f"{number}" * 200,
        ]
    )


def change(value, number):
    """Change a value in place, where it can be."""
    if isinstance(value, list):
        value.append(number)
    elif isinstance(value, dict):
        value["at"].append(number)


# ---- steps of both -------------------------------------------------------------------------------


def change_held(_chance, number):
    """Change what the program took out some time ago."""
    return lambda _target, held: change(held.get("value"), number)


def reopen(_chance, _number):
    """Close and open, where the writer has a structure; what was held is nobody's afterwards."""

    def let_go(_target, held):
        held.clear()

    return Step(None, [let_go])


def transaction(kind, chance, number):
    """Change several things at once, or nothing in the end."""
    makers = [maker for maker in MAKERS[kind] if maker is not reopen]
    inner = []
    for maker in chance.choices(makers[:6], k=4):
        made = maker(chance, number)
        inner += made.parts if isinstance(made, Step) else [made]
    goes_back = chance.random() < 0.4

    def all_at_once(target, held):
        for part in inner:
            part(target, held)

    def in_transaction(target, held):
        change_together(target, partial(all_at_once, held=held), goes_back=goes_back)
        if goes_back:
            held.clear()

    def nothing(_target, held):
        held.clear()

    return Step(in_transaction, [nothing if goes_back else all_at_once])


# ---- steps of a dict -----------------------------------------------------------------------------


def put(chance, number):
    key, value = make_key(chance), make_value(chance, number)
    return lambda d, _held: d.__setitem__(key, _new(value))


def take(chance, _number):
    key = make_key(chance)
    return lambda d, _held: d.pop(key, None)


def take_last(_chance, _number):
    return lambda d, _held: d.popitem() if d else None


def append_to_default(chance, number):
    """Change what `setdefault` returns: two changes, since a commit may come between."""
    key = make_key(chance)
    parts = [lambda d, _held: d.setdefault(key, []), lambda d, _held: change(d[key], number)]
    return Step(lambda d, _held: change(d.setdefault(key, []), number), parts)


def hold_value(chance, _number):
    key = make_key(chance)
    return lambda d, held: held.__setitem__("value", d.get(key))


def put_default(chance, number):
    key, value = make_key(chance), make_value(chance, number)
    return lambda d, _held: d.setdefault(key, _new(value))


def put_many(chance, number):
    items = [(make_key(chance), make_value(chance, number + i)) for i in range(6 * chance.scale)]
    parts = [partial(_put_one, key, value) for key, value in items]
    return Step(lambda d, _held: d.update([(key, _new(value)) for key, value in items]), parts)


def take_many(chance, _number):
    keys = [make_key(chance) for _ in range(60 * chance.scale)]

    def whole(d, _held):
        for key in keys:
            d.pop(key, None)

    return Step(whole, [partial(_take_one, key) for key in keys])


def clear(_chance, _number):
    return lambda target, _held: target.clear()


def _put_one(key, value, d, _held):
    d[key] = _new(value)


def _take_one(key, d, _held):
    d.pop(key, None)


def _new(value):
    """Return the value anew, since a step may be taken on a structure and on what stands for it."""
    if isinstance(value, list):
        return list(value)
    return {"at": list(value["at"])} if isinstance(value, dict) else value


# ---- steps of a list -----------------------------------------------------------------------------


def place(chance):
    """Return what makes an index of a length: anywhere, and often at an end."""
    share = chance.choice([0.0, chance.random(), chance.random(), 1.0])
    return lambda length: min(int(share * length), max(0, length - 1))


def append(chance, number):
    value = make_value(chance, number)
    return lambda items, _held: items.append(_new(value))


def insert(chance, number):
    at, value = place(chance), make_value(chance, number)
    return lambda items, _held: items.insert(at(len(items)), _new(value))


def set_one(chance, number):
    at, value = place(chance), make_value(chance, number)
    return lambda items, _held: (
        items.__setitem__(at(len(items)), _new(value)) if len(items) else None
    )


def pop_one(chance, _number):
    at = place(chance)
    return lambda items, _held: items.pop(at(len(items))) if len(items) else None


def change_item(chance, number):
    at = place(chance)
    return lambda items, _held: change(items[at(len(items))], number) if len(items) else None


def set_piece(chance, number):
    first, last = place(chance), place(chance)
    values = [make_value(chance, number) for _ in range(chance.randrange(12 * chance.scale))]
    return lambda items, _held: items.__setitem__(
        slice(first(len(items)), last(len(items))), [_new(value) for value in values]
    )


def hold_item(chance, _number):
    at = place(chance)
    return lambda items, held: (
        held.__setitem__("value", items[at(len(items))]) if len(items) else None
    )


def extend(chance, number):
    values = [make_value(chance, number) for _ in range(chance.randrange(30 * chance.scale))]
    return lambda items, _held: items.extend([_new(value) for value in values])


def extend_one_by_one(chance, number):
    values = [make_value(chance, number) for _ in range(chance.randrange(1, 9 * chance.scale))]
    parts = [partial(_append_one, value) for value in values]
    return Step(lambda items, _held: items.extend(_new(value) for value in values), parts)


def delete_every_third(_chance, _number):
    return lambda items, _held: items.__delitem__(slice(None, None, 3))


def shorten(chance, _number):
    most = 80 * chance.scale
    return lambda items, _held: items.__delitem__(slice(most, None))


def sort(chance, _number):
    reverse = chance.random() < 0.5
    return lambda items, _held: items.sort(key=_sort_key, reverse=reverse)


def turn_round(_chance, _number):
    return lambda items, _held: items.reverse()


def _append_one(value, items, _held):
    items.append(_new(value))


def _sort_key(value):
    return repr(value)[:20]


MAKERS = {
    "dict": {
        put: 40,
        take: 20,
        take_last: 8,
        append_to_default: 12,
        put_default: 5,
        put_many: 6,
        hold_value: 8,
        change_held: 8,
        take_many: 2,
        clear: 0.3,
        partial(transaction, "dict"): 4,
        reopen: 2,
    },
    "list": {
        append: 30,
        insert: 12,
        set_one: 12,
        pop_one: 12,
        change_item: 10,
        set_piece: 5,
        extend: 3,
        extend_one_by_one: 3,
        hold_item: 6,
        change_held: 6,
        delete_every_third: 2,
        shorten: 3,
        sort: 2,
        turn_round: 2,
        clear: 0.3,
        partial(transaction, "list"): 4,
        reopen: 2,
    },
}
