"""Echelon forms modulo a prime, in plain Python."""

from __future__ import annotations

__all__ = ["rref"]


def rref(rows: list[list[int]], p: int) -> list[list[int]]:
    """Return the reduced echelon form of a matrix modulo the prime `p`, by Gauss and Jordan: O(n**3)."""
    matrix = [[entry % p for entry in row] for row in rows]
    rank = 0
    for column in range(len(matrix[0])):
        pivot = next((i for i in range(rank, len(matrix)) if matrix[i][column]), None)
        if pivot is None:
            continue
        matrix[rank], matrix[pivot] = matrix[pivot], matrix[rank]
        inverse = pow(matrix[rank][column], -1, p)
        matrix[rank] = own = [entry * inverse % p for entry in matrix[rank]]
        for i, row in enumerate(matrix):
            if i != rank and (factor := row[column]):
                matrix[i] = [(a - factor * b) % p for a, b in zip(row, own, strict=True)]
        rank += 1
    return matrix
