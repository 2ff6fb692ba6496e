"""The unknowns of a sparse system of relations, modulo a prime, up to a common factor.

Structured Gaussian elimination: unknowns that stand in few relations are expressed by others, for as long as
that is cheaper than leaving them to a kernel (B. A. LaMacchia and A. M. Odlyzko, "Solving large sparse linear
systems over finite fields", CRYPTO 1990). What is left is small and dense.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import count
from typing import Any, Final

from pyspeedup.algorithms import _kernels

__all__ = ["Relation", "common_solution"]

Relation = dict[int, int]
"""How often each unknown is counted in a sum that is 0."""

SPARE: Final = 8
"""So many relations more than unknowns are kept: then hardly ever too few are independent."""
DENSE_SHARE: Final = 25
"""Changing one number here takes as long as so many steps of a kernel."""


def common_solution(relations: list[Relation], q: int) -> Relation | None:
    """Return values, not all 0, that fulfil all `relations` modulo the prime `q`; None if not unique.

    Unique up to a factor, that is. Unknowns that the relations leave open have no value, nor have those
    that only stand in relations which were not needed.
    """
    system = _System(relations, q)
    expressed = system.eliminate()
    values = _dense_solution(system.relations, q)
    if values is None:
        return None
    for unknown, relation in reversed(expressed):
        _fill_in(values, unknown, relation, q)
    return values


def _fill_in(values: Relation, unknown: int, relation: Relation, q: int) -> None:
    others = [other for other in relation if other != unknown]
    if all(other in values for other in others):
        rest = sum(relation[other] * values[other] for other in others)
        values[unknown] = -rest * pow(relation[unknown], -1, q) % q


class _System:
    """Relations, and for each unknown the places of those that it stands in."""

    def __init__(self, relations: list[Relation], q: int) -> None:
        self._q = q
        self._relations = {i: dict(relation) for i, relation in enumerate(relations)}
        self._places: dict[int, set[int]] = defaultdict(set)
        for i, relation in self._relations.items():
            for unknown in relation:
                self._places[unknown].add(i)

    @property
    def relations(self) -> list[Relation]:
        return list(self._relations.values())

    def eliminate(self) -> list[tuple[int, Relation]]:
        """Express unknowns by others, the rarest first; return them with the relations that do it."""
        expressed: list[tuple[int, Relation]] = []
        for limit in count(1):
            self._drop_longest()
            rare = [unknown for unknown, places in self._places.items() if len(places) <= limit]
            before = len(expressed)
            for unknown in rare:
                if len(self._places[unknown]) <= limit:
                    expressed += self._express(unknown)
            if limit > 1 and rare and len(expressed) == before:
                return expressed
            if not self._places:
                return expressed
        raise AssertionError("limits have no end")

    def _is_dear(self, relations: int, length: int) -> bool:
        """Tell whether adding one of this length to so many relations takes longer than a kernel."""
        return relations * length * DENSE_SHARE > len(self._places) ** 2

    def _drop_longest(self) -> None:
        """Let go of the relations that cost most, where there are more than are needed."""
        surplus = len(self._relations) - len(self._places) - SPARE
        if surplus > 0:
            longest = sorted(self._relations, key=lambda i: len(self._relations[i]))[-surplus:]
            for i in longest:
                self._take(i)

    def _take(self, i: int) -> Relation:
        relation = self._relations.pop(i)
        for unknown in relation:
            self._places[unknown].discard(i)
        return relation

    def _express(self, unknown: int) -> list[tuple[int, Relation]]:
        """Take out the unknown, and the shortest relation that expresses it, unless that is dear."""
        places = self._places[unknown]
        if not places:
            del self._places[unknown]
            return []
        shortest = min(places, key=lambda i: len(self._relations[i]))
        if self._is_dear(len(places) - 1, len(self._relations[shortest])):
            return []
        relation = self._take(shortest)
        inverse = pow(relation[unknown], -1, self._q)
        for i in list(places):
            self._add(i, relation, -self._relations[i][unknown] * inverse % self._q)
        del self._places[unknown]
        return [(unknown, relation)]

    def _add(self, i: int, addend: Relation, factor: int) -> None:
        """Add a multiple of a relation to another one."""
        relation = self._relations[i]
        for unknown, value in addend.items():
            total = (relation.get(unknown, 0) + factor * value) % self._q
            if total:
                relation[unknown] = total
                self._places[unknown].add(i)
            else:
                relation.pop(unknown, None)
                self._places[unknown].discard(i)
        if not relation:  # it followed from others
            del self._relations[i]


def _dense_solution(relations: list[Relation], q: int) -> Relation | None:
    """Return the one solution, up to a factor, of what is left; None if there are more."""
    unknowns = sorted(set().union(*relations))
    if len(relations) + 1 < len(unknowns):
        return None
    matrix = [[relation.get(unknown, 0) for unknown in unknowns] for relation in relations]
    reduced = [row for row in _kernels.rref(matrix, q) if any(row)] if matrix else []
    if len(reduced) + 1 != len(unknowns):
        return None
    pivots = [_first(row) for row in reduced]
    free = next(iter(set(range(len(unknowns))).difference(pivots)))
    values = {unknowns[j]: -row[free] % q for j, row in zip(pivots, reduced, strict=True)}
    return {unknowns[free]: 1, **values}


def _first(row: list[Any]) -> int:
    return next(j for j, entry in enumerate(row) if entry)
