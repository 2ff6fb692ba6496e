"""What a DiskDict is made of."""
