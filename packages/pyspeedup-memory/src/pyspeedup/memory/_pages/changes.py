"""Tells which values could change in place, and which of them somebody still holds.

A value that was handed out and that somebody outside still refers to must stay the object that the
structure answers with, since it may be changed through that reference. Reference counts tell: what
is counted beyond the references that are known of, from the structure and from other values of it,
comes from outside. Interpreters whose counts do not tell are asked for nothing: there a value that
could change counts as held.
"""

from __future__ import annotations

import gc
import sys
from itertools import chain
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

__all__ = ["held_outside", "may_change", "may_change_any"]

UNCHANGING = frozenset(
    {
        *(int, str, bytes, float, bool, complex, range),
        *(type(None), type(...), type(NotImplemented)),
        *(type, FunctionType, BuiltinFunctionType),  # kept by name
    }
)
COUNTS_TELL = (
    sys.implementation.name == "cpython" and getattr(sys, "_is_gil_enabled", lambda: True)()
)
CONTAINERS = frozenset({list, dict, set, bytearray, tuple, frozenset})
"""Exact types that are never kept by name, as an enumeration's members are."""


class _Node(NamedTuple):
    value: Any
    parts: list[int]


def may_change(value: Any) -> bool:
    """Return whether `value` could change in place, in O(1) for what is no tuple or frozenset."""
    kind = type(value)
    if kind in UNCHANGING:
        return False
    if kind is tuple:
        for part in value:
            if type(part) not in UNCHANGING:
                break
        else:
            return False
    pending, seen = [value], set()
    while pending:
        part = pending.pop()
        if type(part) in UNCHANGING:
            continue
        if type(part) not in (tuple, frozenset):
            return True
        if id(part) not in seen:  # ((x, x), (x, x)) has exponentially many paths
            seen.add(id(part))
            pending.extend(part)
    return False


def may_change_any(values: Sequence[Any]) -> bool:
    """Return whether one of `values` could change; 20 ns a value, 60 one that is a flat tuple."""
    others = set(map(type, values)) - UNCHANGING
    if not others:
        return False
    if others == {tuple}:
        tuples = (value for value in values if type(value) is tuple)
        if UNCHANGING.issuperset(map(type, chain.from_iterable(tuples))):
            return False
    return any(map(may_change, values))


def held_outside(
    values: Sequence[Any],
    references: int,
    sizes: Sequence[int],
    reloads: Callable[[Any], bool],
) -> list[bool]:
    """Return, for each of `values`, whether it or something in it may be changed from outside.

    Each place in `values` stands for `references` references that are known of, besides the one
    from `values` itself. A value has at most as many parts as its entry in `sizes`: where more
    are found, they are not what is kept of it, and it is judged alone. `reloads` tells whether an
    object is itself what its body loads to, as an enumeration's member is. O(parts).
    """
    if not COUNTS_TELL:
        return [True] * len(values)
    nodes, known = _graph_of(values, references + 1, sizes)
    changing = _closure(_beyond_known(nodes, known, reloads), nodes)
    if not changing:
        return [False] * len(values)
    affected = _closure(changing, _reversed(nodes))
    return [id(value) in affected for value in values]


def _graph_of(
    values: Sequence[Any], references: int, sizes: Sequence[int]
) -> tuple[dict[int, _Node], dict[int, int]]:
    """Return what `values` are made of, by id, and how many references to each are known of."""
    nodes: dict[int, _Node] = {}
    known: dict[int, int] = {}
    for value, size in zip(values, sizes, strict=True):
        known[id(value)] = known.get(id(value), 0) + references
        if id(value) not in nodes:
            nodes |= _parts_of(value, nodes, size)
    for node in nodes.values():
        for part in node.parts:
            known[part] = known.get(part, 0) + 1
    return nodes, known


def _parts_of(value: Any, nodes: dict[int, _Node], size: int) -> dict[int, _Node]:
    """Return the nodes of `value` and of what it is made of, as far as they are new."""
    found: dict[int, _Node] = {}
    pending = [value]
    while pending:
        part = pending.pop()
        if id(part) in nodes or id(part) in found:
            continue
        if len(found) > size:
            return {id(value): _Node(value, [])}
        parts = [
            other
            for other in gc.get_referents(part)
            if type(other) not in UNCHANGING and _counts(other)
        ]
        found[id(part)] = _Node(part, [id(other) for other in parts])
        pending.extend(parts)
    return found


def _counts(part: Any) -> bool:
    return not isinstance(part, type | ModuleType) and may_change(part)


def _beyond_known(
    nodes: dict[int, _Node], known: dict[int, int], reloads: Callable[[Any], bool]
) -> list[int]:
    """Return the ids of those nodes that have a reference which is not known of."""
    probe = _Node([], [])  # has none, and so tells what counting itself adds
    baseline = None
    held = []
    for node in (probe, *nodes.values()):
        count = sys.getrefcount(node.value)
        if baseline is None:
            baseline = count
        elif count - baseline > known[id(node.value)] and (
            type(node.value) in CONTAINERS or not reloads(node.value)
        ):
            held.append(id(node.value))
    return held


def _closure(begin: Iterable[int], nodes: dict[int, _Node]) -> set[int]:
    reached: set[int] = set()
    pending = list(begin)
    while pending:
        node = pending.pop()
        if node not in reached:
            reached.add(node)
            pending.extend(nodes[node].parts)
    return reached


def _reversed(nodes: dict[int, _Node]) -> dict[int, _Node]:
    turned = {number: _Node(node.value, []) for number, node in nodes.items()}
    for number, node in nodes.items():
        for part in node.parts:
            turned[part].parts.append(number)
    return turned
