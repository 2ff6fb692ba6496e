"""Texts that all have the same CRC-32, as somebody would make them who wants a store to be slow."""

from __future__ import annotations

from itertools import islice
from zlib import crc32

LENGTH = 64
"""Characters, each of which may be one of two: 32 more choices than a CRC-32 can tell apart."""


def colliding_texts(count):
    """Return that many texts with the CRC-32 of ``"a" * LENGTH``.

    CRC-32 is linear, so which characters to exchange for another without changing it is what solves
    32 linear equations.
    """
    return list(islice(_texts(_exchanges()), count))


def _exchanges():
    """Return sets of places, as bits, that can be exchanged together without changing the hash."""
    plain = crc32(b"a" * LENGTH)
    pivots, harmless = {}, []
    for place in range(LENGTH):
        text = bytearray(b"a" * LENGTH)
        text[place] = ord("b")
        effect, places = crc32(text) ^ plain, 1 << place
        while effect and effect.bit_length() in pivots:
            other, others = pivots[effect.bit_length()]
            effect, places = effect ^ other, places ^ others
        if effect:
            pivots[effect.bit_length()] = effect, places
        else:
            harmless.append(places)
    return harmless


def _texts(exchanges):
    for number in range(1 << len(exchanges)):
        places = 0
        for bit, exchanged in enumerate(exchanges):
            if number >> bit & 1:
                places ^= exchanged
        yield "".join("ab"[places >> place & 1] for place in range(LENGTH))
