"""Proofs that a number is prime, which anybody can check in a moment.

A certificate is made of plain dicts, lists and integers, so it goes through JSON::

    {"n": 1000003,
     "factors": [[3, 1, 2], [166667, 1, 2]],          q, its power in n - 1, and a base for it
     "proofs": [{"n": 166667, "factors": [...], ...}]}    of each q that dividing does not prove

After H. C. Pocklington (1914): let F divide n - 1, and for each prime q of F let there be an a with ``a**(n - 1)``
equal to 1 and ``a**((n - 1) / q) - 1`` prime to n. Then every prime of n is 1 modulo F, so n is prime if F is above its
root; with all of n - 1 for F that is V. R. Pratt's certificate (1975). If F is above the cube root only, n is
prime if two digits of it to the base F are no sum and product: J. Brillhart, D. H. Lehmer and J. L. Selfridge (1975),
as in R. Crandall and C. Pomerance, *Prime Numbers*, 4.1.5.
"""

from __future__ import annotations

import math
from itertools import count
from typing import Any, Final

from pyspeedup.algorithms import _kernels
from pyspeedup.algorithms._integers import to_int
from pyspeedup.algorithms._splitting import trial
from pyspeedup.algorithms.errors import NotPrime

__all__ = ["prime_certificate", "verify_certificate"]

DIVIDED: Final = 10**6
"""Primes below it are proven by dividing."""
TRIAL: Final = 1000
RHO_STEPS: Final = 1 << 16
FIRST_BOUND, FEW_CURVES = 2000, 10
"""What finds most primes of up to twelve digits in a tenth of a second."""
DEEPEST: Final = 200
"""Proofs within proofs within proofs: real ones are some ten deep."""


def prime_certificate(p: int, *, timeout: float | None = None) -> dict[str, Any]:
    """Return a proof that `p` is prime, for `verify_certificate`; plain dicts and lists, so it goes through JSON.

    It needs primes of ``p - 1`` whose product is above the cube root of `p`, each with a proof in turn. They are looked
    for by dividing, by Pollard's rho, by elliptic curves, and in the end by `factorint`, which takes `timeout` into
    account. So it takes milliseconds below 40 digits, seconds up to some 80, and for longer ones
    it is a matter of luck.

    `NotPrime` if `p` is composite or below 2, and `FactorTimeout` if ``p - 1`` does not come apart in time.

    >>> certificate = prime_certificate(2**89 - 1)
    >>> verify_certificate(certificate)
    True
    >>> import json
    >>> verify_certificate(json.loads(json.dumps(certificate)))
    True
    >>> prime_certificate(97)
    {'n': 97, 'factors': [], 'proofs': []}
    """
    p = to_int(p, "p")
    if p < 2 or not _kernels.is_prime(p):  # noqa: PLR2004 -- the first prime
        raise NotPrime(p)
    if p < DIVIDED:
        return {"n": p, "factors": [], "proofs": []}
    powers = _enough_factors(p, timeout)
    factors = [[q, power, _base(p, q)] for q, power in sorted(powers.items())]
    proofs = [prime_certificate(q, timeout=timeout) for q in sorted(powers) if q >= DIVIDED]
    return {"n": p, "factors": factors, "proofs": proofs}


def _base(p: int, q: int) -> int:
    """Return the least a for which a**((p - 1) / q) is not 1, and so not 1 modulo any divisor of the prime `p`."""
    return next(a for a in count(2) if pow(a, (p - 1) // q, p) != 1)


def _enough_factors(p: int, timeout: float | None) -> dict[int, int]:
    """Return primes of p - 1, with their powers, whose product is above the cube root of `p`."""
    found, rest = trial.divide_out(p - 1, TRIAL)
    part = math.prod(found)
    composites = [rest] if rest > 1 else []
    while part**3 <= p:
        n = composites.pop()
        if _kernels.is_prime(n):
            found.append(n)
            part *= n
            continue
        # The smallest are the easiest.
        composites = sorted([*composites, *_split(n, timeout)], reverse=True)
    return _whole_powers(p - 1, set(found))


def _split(n: int, timeout: float | None) -> list[int]:
    """Return divisors of the composite `n` with the product `n`, small ones rather than all."""
    from pyspeedup.algorithms import splitting
    from pyspeedup.algorithms.factoring import factor

    divisor = splitting.pollard_rho(n, most_steps=RHO_STEPS)
    if divisor is None:
        divisor = splitting.ecm(n, bound=FIRST_BOUND, curves=FEW_CURVES)
    return factor(n, timeout=timeout) if divisor is None else [divisor, n // divisor]


def _whole_powers(n: int, primes: set[int]) -> dict[int, int]:
    """Return how often each of some primes really divides `n`."""
    whole = {}
    for q in primes:
        power = 0
        while n % q == 0:
            n //= q
            power += 1
        whole[q] = power
    return whole


def verify_certificate(certificate: object) -> bool:
    """Tell whether `certificate` proves that its ``n`` is prime; whatever else it is given, it says False.

    Some modular powers for each prime that it names, and nothing is taken on trust but this function.

    >>> certificate = prime_certificate(10**18 + 9)
    >>> certificate["n"], verify_certificate(certificate)
    (1000000000000000009, True)
    >>> certificate["n"] += 2
    >>> verify_certificate(certificate), verify_certificate("prime, trust me")
    (False, False)
    """
    return _is_proof(certificate, DEEPEST)


def _is_proof(certificate: object, depth: int) -> bool:
    if depth == 0 or not isinstance(certificate, dict):
        return False
    parts: list[Any] = [certificate.get(name) for name in ("n", "factors", "proofs")]
    n, factors, proofs = parts
    if not (_is_number(n) and _are_factors(factors) and isinstance(proofs, list)):
        return False
    if n < DIVIDED:
        return _is_prime_by_dividing(n)
    # A divisor of n - 1 is at most half of it, so this ends whatever the proofs refer to.
    smaller = [each for each in proofs if _is_number(_number_of(each)) and 2 * each["n"] < n]
    proven = {each["n"] for each in smaller if _is_proof(each, depth - 1)}
    return _is_pocklington(n, factors, proven)


def _are_factors(factors: object) -> bool:
    return isinstance(factors, list) and all(
        isinstance(each, list) and len(each) == 3 and all(map(_is_number, each))  # noqa: PLR2004 -- q, power, base
        for each in factors
    )


def _is_prime_by_dividing(n: int) -> bool:
    return n > 1 and all(n % d for d in range(2, math.isqrt(n) + 1))


def _number_of(proof: object) -> object:
    return proof.get("n") if isinstance(proof, dict) else None


def _is_number(value: object) -> bool:
    return type(value) is int and value > 0


def _is_pocklington(n: int, factors: list[list[int]], proven: set[int]) -> bool:
    part = 1
    for q, power, base in factors:
        is_small_prime = q < DIVIDED and _is_prime_by_dividing(q)
        if not (is_small_prime or q in proven) or part % q == 0 or power > n.bit_length():
            return False
        if pow(base, n - 1, n) != 1 or math.gcd(pow(base, (n - 1) // q, n) - 1, n) != 1:
            return False
        part *= q**power
    return (n - 1) % part == 0 and _is_no_product(n, part)


def _is_no_product(n: int, part: int) -> bool:
    """Tell whether `n`, all of whose primes are 1 modulo `part`, must be prime."""
    if part * part > n:
        return True
    if part**3 <= n:
        return False
    high, low = divmod(n // part, part)  # n = high * part**2 + low * part + 1
    return not _kernels.is_square(low * low - 4 * high)
