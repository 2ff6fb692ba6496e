"""C4 and C5: a recursive function whose sub-problems share others, on all cores.

A graph is a list of nodes. Node n needs the results of nodes below n, and then works for a number of
steps. The last node needs all, directly or through others.

Irregular graphs are drawn with a seed: the first sixteenth of the nodes needs nothing, each other needs one to
three of the nodes within an eighth of all nodes below it; how long nodes work is drawn from an
exponential distribution, cut at a twentieth and at four times its mean, then scaled to that mean. In a
tree each node needs two, but for the leaves, and all work equally long.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from concurrency.spin import spin

MODULUS = 1_000_000_007
SEED = 2026
LEAVES, WINDOW = 16, 8
"""The share of the nodes, as one in so many, that need nothing; and how far down a node's needs go."""

SHORTEST, LONGEST = 0.05, 4.0


class Graph(NamedTuple):
    """For each node, which others it needs, and how many steps it works."""

    needs: list[tuple[int, ...]]
    steps: list[int]

    @property
    def root(self) -> int:
        """The node that needs all others."""
        return len(self.needs) - 1


def irregular(nodes: int, steps: int) -> Graph:
    """Return a random graph, the same each time; `steps` are those of a node in the mean."""
    chance = random.Random(SEED)  # noqa: S311 -- the same for all
    leaves, window = max(2, nodes // LEAVES), max(4, nodes // WINDOW)
    needs: list[tuple[int, ...]] = [()] * leaves
    for node in range(leaves, nodes - 1):
        below = range(max(0, node - window), node)
        needs.append(tuple(chance.sample(below, min(len(below), chance.randint(1, 3)))))
    needed = set().union(*needs)
    needs.append(tuple(node for node in range(nodes - 1) if node not in needed))
    drawn = [min(LONGEST, max(SHORTEST, chance.expovariate(1))) for _ in needs]
    scale = steps * len(drawn) / sum(drawn)
    return Graph(needs, [max(1, round(share * scale)) for share in drawn])


def tree(nodes: int, steps: int) -> Graph:
    """Return a binary tree of an odd number of nodes."""
    nodes -= 1 - nodes % 2
    last = nodes - 1
    needs: list[tuple[int, ...]] = [()] * nodes
    for place in range(nodes // 2):  # as a heap upside down: the root is the last
        needs[last - place] = (last - (2 * place + 1), last - (2 * place + 2))
    return Graph(needs, [steps] * nodes)


def value_of(node: int, steps: int, sum_of_needs: int) -> int:
    """Do the work of a node, and return its result."""
    return (sum_of_needs * 31 + spin(steps) + node) % MODULUS


def in_order(graph: Graph) -> int:
    """Return the root's result, every node done in turn: each needs only those below it."""
    values: list[int] = []
    for node, needs in enumerate(graph.needs):
        values.append(value_of(node, graph.steps[node], sum(values[need] for need in needs)))
    return values[graph.root]
