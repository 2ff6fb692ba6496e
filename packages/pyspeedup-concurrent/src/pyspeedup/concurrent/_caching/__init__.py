"""What a Cache is made of."""
