"""How discrete logarithms are found: from any modulus down to a group of prime order.

::

    moduli             any modulus and base: what is before the period, then the prime powers
      prime_powers     a unit modulo a power of a prime: modulo the prime, then what the power adds
        pohlig_hellman a group whose order is known: each prime of it for itself
          subgroups    which of these takes a prime of the order:
            baby_steps   square root of the prime in steps and in memory
            rho          square root in steps, hardly any memory, as many processes as wanted
            indices      index calculus: by the size of the modulus, not of the prime

Numbers are trusted here, answers are checked where they leave. What has no logarithm is None.
"""
