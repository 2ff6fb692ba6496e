"""What a DiskList is made of."""
