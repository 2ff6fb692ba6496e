"""How primes are found, kept and read: whole arrays at a time, so all of this imports numpy."""
