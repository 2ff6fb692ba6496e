"""Proofs that a number is prime, in plain Python."""

from __future__ import annotations

from pyspeedup.algorithms.errors import NotPrime

__all__ = ["is_proven_prime"]


def is_proven_prime(n: int) -> bool:
    """Tell whether `n` is prime, by a certificate that is made and verified."""
    # Late, since certificates stand on kernels themselves.
    from pyspeedup.algorithms.certificates import prime_certificate, verify_certificate

    try:
        return verify_certificate(prime_certificate(n))
    except NotPrime:
        return False
